# The service: HTTP in, HTTP out. It never runs user code itself; that happens in boxes made of Dockerfile.sandbox.

# ---- the Python packages, without what no program of ours ever loads ----
FROM python:3.11-slim AS packages
COPY requirements.txt ./
RUN pip install --no-cache-dir --no-compile --require-hashes --target /packages -r requirements.txt
# Test suites, C headers, and Arrow's parts for RPC and S3.
RUN find /packages -depth \( -type d \( -name tests -o -name include -o -name bin \) -o -name '*.pyx' -o -name '*.pxd' \
        -o -name '*.pxi' -o -path '*/pyarrow/libarrow_flight.so*' -o -path '*/pyarrow/_flight.*' \
        -o -path '*/pyarrow/libarrow_s3.so*' -o -path '*/pyarrow/_s3fs.*' \) -exec rm -rf {} + \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /packages
COPY src /app/src
COPY hqg_backtester /app/hqg_backtester
COPY examples /app/examples
COPY docs/strategies.md /app/docs/
RUN python -m compileall -q --invalidation-mode unchecked-hash /app/src /app/hqg_backtester && chmod -R a+rX,go-w /packages /app
# What was taken away must not be missed: everything that the service can import is imported once.
RUN cd /app && PYTHONPATH=/packages python -c "import importlib, pkgutil, src; \
    [importlib.import_module(m.name) for m in pkgutil.walk_packages(src.__path__, 'src.') if not m.name.endswith('__main__')]; \
    import yfinance, pyarrow.csv, pyarrow.parquet"

# ---- what the studio, /docs and /redoc load, in the versions of the lock file ----
FROM python:3.11-slim AS web
COPY requirements-web.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-web.txt
COPY scripts/web_assets.py /web/scripts/
COPY src/api/web/package.json src/api/web/package-lock.json src/api/web/codemirror.entry.js /web/src/api/web/
# Node.js brings its own certificates; these are the machine's, for one that stands behind a proxy.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN python /web/scripts/web_assets.py

# ---- the service ----
FROM python:3.11-slim
WORKDIR /app
COPY --from=packages /packages /packages
COPY --from=packages /app ./
COPY --from=web /web/src/api/web/docs/vendor ./src/api/web/docs/vendor
COPY --from=web /web/src/api/web/studio/vendor ./src/api/web/studio/vendor
COPY scripts/drop_root.py ./
RUN chmod -R a+rX,go-w /app && install -d -o 10001 -g 10001 /data /cache /runs

# A folder of price files is mounted at /data; what was fetched is kept in /cache, runs in /runs.
# User 10001 may write all three.
ENV PYTHONPATH=/packages PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
    API_HOST=0.0.0.0 API_PORT=8005 DATA_DIR=/data DATA_CACHE_DIR=/cache \
    DATABASE_URL=sqlite:////runs/backtester.db ARTIFACT_DIR=/runs/artifacts BLOB_DIR=/runs/blobs SANDBOX=docker \
    LOG_FORMAT=json
EXPOSE 8005
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-S", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8005/health', timeout=4)"]
ENTRYPOINT ["python", "/app/drop_root.py"]
# Serves src.api.server:app with uvicorn.
CMD ["python", "-m", "src.api"]
