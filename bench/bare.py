"""The minimum cost of an answer, as a baseline: FastAPI routes that serve bytes from memory.

    BENCH_BARE_FOLDER=… uvicorn bench.bare:app

The folder holds answer.json, answer.json.gz and page.json.
"""

import os
from pathlib import Path
from typing import Any

from fastapi import Body, FastAPI, Request, Response


def application() -> FastAPI:
    """An application that parses JSON bodies like any FastAPI route, and answers with stored bytes."""
    folder = Path(os.environ["BENCH_BARE_FOLDER"])
    plain, packed, page = ((folder / name).read_bytes() for name in ("answer.json", "answer.json.gz", "page.json"))
    bare = FastAPI()

    def answer(request: Request) -> Response:
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, media_type="application/json", headers={"Content-Encoding": "gzip"})
        return Response(plain, media_type="application/json")

    @bare.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "healthy"}

    @bare.post("/api/v1/backtest")
    async def post(request: Request, posted: dict[str, Any] = Body()) -> Response:  # noqa: B008 - FastAPI's way
        return answer(request)

    @bare.get("/api/v1/runs/{run_hash}/result")
    async def result(request: Request, run_hash: str) -> Response:
        return answer(request)

    @bare.post("/api/v1/validate")
    async def validate(posted: dict[str, Any] = Body()) -> dict[str, bool]:  # noqa: B008 - FastAPI's way
        return {"valid": True}

    @bare.get("/api/v1/runs")
    async def runs() -> Response:
        return Response(page, media_type="application/json")

    return bare


app = application()
