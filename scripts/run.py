"""`make run`: start the service, show one real request and its answer, and serve until Ctrl-C."""

import http.client
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from scripts import box, web_assets
from src.api.pages.studio import STUDIO_FOLDER, is_built
from src.cli.answer_table import answer_table, refusal
from src.config.settings import Settings, SettingsInvalid, load_settings

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = Path("examples/request.json")
START_SECONDS = 60.0
INSTALL_SECONDS = 300.0
STOP_SECONDS = 20.0

HEADER = "'Content-Type: application/json'"
HOW_TO_SEE_REQUESTS = " Only warnings are logged; LOG_LEVEL=INFO make run shows each request."
REAL_PRICES = """
These prices are synthetic: computed by a formula, the same on every machine. For real ones:
  DATA_PROVIDER=yahoo make run                            from Yahoo
  DATA_PROVIDER=files DATA_DIR=/path/to/folder make run   one <SYMBOL>.csv or <SYMBOL>.parquet of daily bars each\
"""


class CannotRun(Exception):
    """The service cannot be started; the message says what to do about it."""


def main() -> int:
    """Run until Ctrl-C; returns the exit status."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    os.chdir(ROOT)
    try:
        settings = with_prices(load_settings())
        check_port(settings.api_host, settings.api_port)
        bring_assets()
        sandbox = sandbox_for(settings)
        print("Starting the service.", flush=True)
        with service({**quietly(settings), "SANDBOX": sandbox}) as process:
            wait_until_healthy(process, settings)
            show_example(settings)
            print(f"\nServing until Ctrl-C.{HOW_TO_SEE_REQUESTS if quietly(settings) else ''}", flush=True)
            status = process.wait()
            raise CannotRun(f"The service ended with status {status}.")
    except (CannotRun, SettingsInvalid) as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0


def with_prices(settings: Settings) -> Settings:
    """The same settings, with synthetic prices if no source was chosen, so that a first run needs no network."""
    if "data_provider" in settings.model_fields_set:
        return settings
    print(
        "DATA_PROVIDER is not set, so this run uses synthetic prices, as with DATA_PROVIDER=mock make run.\n"
        "A service that you start yourself uses Yahoo's."
    )
    os.environ["DATA_PROVIDER"] = "mock"
    return load_settings()


def check_port(host: str, port: int) -> None:
    """Raises CannotRun if the port is not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise CannotRun(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}.\n"
            "Stop the program that uses it (an earlier make run?), or choose another port:"
            f" API_PORT={port + 1} make run"
        ) from error


def quietly(settings: Settings) -> dict[str, str]:
    """Variables that limit the service's log to warnings and errors, unless LOG_LEVEL is set."""
    return {} if "log_level" in settings.model_fields_set else {"LOG_LEVEL": "WARNING"}


def bring_assets(web: Path = web_assets.WEB_FOLDER) -> None:
    """Fetch the files that the studio and the documentation pages load, unless they exist; print any failure."""
    if web_assets.is_current(web):
        return
    print("Fetching the studio's editor and charts from npm.", flush=True)
    try:
        web_assets.fetch(_node(), web, None, web_assets.NO_SECOND_ATTEMPT)
    except web_assets.NotFetched as problem:
        print(
            f"They could not be fetched: {problem}.\n"
            "The service starts without them: / is a plain form, until `make assets` has fetched them.",
            flush=True,
        )


def _node() -> web_assets.Node:
    """Node.js of this machine, or from its Python package, which is installed if needed.

    Raises:
        NotFetched: neither is available.
    """
    node = web_assets.find_node()
    if node is None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--retries", "1"]
        complaint = box.complaint_of([*pip, "--require-hashes", "-r", "requirements-web.txt"], seconds=INSTALL_SECONDS)
        importlib.invalidate_caches()
        node = web_assets.find_node()
        if node is None:
            raise web_assets.NotFetched(f"{web_assets.HOW_TO_GET_NODE}. pip says: {complaint or 'nothing'}")
    return node


def sandbox_for(settings: Settings) -> str:
    """The SANDBOX to serve with, ready for use: its image built, or bubblewrap installed.

    Raises:
        CannotRun: no box can be built, or not the requested one.
    """
    if settings.sandbox != "bubblewrap":
        complaint = box.docker_complaint()
        if complaint is None:
            print("Building the sandbox image; the first time takes about a minute.", flush=True)
            complaint = box.image_complaint(settings.sandbox_image)
        if complaint is None:
            return "docker"
        if settings.sandbox == "docker":
            raise CannotRun(f"SANDBOX=docker, but it cannot be used: {complaint}")
        print(f"Docker cannot be used here, so strategies will run in bubblewrap. Docker says: {complaint}")
    complaint = box.ensure_bubblewrap()
    if complaint is not None:
        raise CannotRun(f"{box.HOW_TO_GET_A_BOX}\nbubblewrap at present: {complaint}")
    return "bubblewrap"


@contextmanager
def service(environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The running service with these variables; stopped when the block ends for any reason."""
    process = subprocess.Popen(
        [sys.executable, "-m", "src.api"],
        env={**os.environ, **environment},
        # Ctrl-C in the terminal reaches only us, and we stop the service once.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()


def wait_until_healthy(process: "subprocess.Popen[bytes]", settings: Settings) -> None:
    """Raises CannotRun if the service ends, has no box, or does not answer within START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CannotRun(f"The service ended with status {process.returncode} before it was ready.")
        try:
            _, health = ask(settings, "GET", "/health", seconds=START_SECONDS)
        except OSError:
            time.sleep(0.1)
            continue
        if not health["sandbox"]["available"]:
            raise CannotRun(f"The service has no box to run strategies in: {health['sandbox']['reason']}.")
        return
    raise CannotRun(f"The service did not answer /health within {START_SECONDS:.0f} s.")


def show_example(settings: Settings) -> None:
    """Post the example, print the answer and where to look next.

    Raises:
        CannotRun: the service did not answer, or failed (a status of 500 or above).
    """
    print(f"\nPosting {EXAMPLE} ...", flush=True)
    body, seconds = EXAMPLE.read_bytes(), settings.max_request_time + 10
    try:
        status, answer = ask(settings, "POST", "/api/v1/backtest", body, seconds=seconds)
    except OSError as error:
        raise CannotRun(f"The service did not answer: {error}.") from error
    if status >= http.client.INTERNAL_SERVER_ERROR:
        raise CannotRun(refusal(status, answer))
    print("\n" + (answer_table(answer) if status == http.client.OK else refusal(status, answer)))
    if settings.data_provider == "mock":
        print(REAL_PRICES)
    address = f"http://{_reachable(settings)}:{settings.api_port}"
    has_studio = is_built(STUDIO_FOLDER)
    print(f"\nLook next: {address}/ ({'the studio' if has_studio else 'a plain form'}), {address}/docs")
    if has_studio and status == http.client.OK:
        print(f"This run in the studio:\n  {address}/?run={answer['run_hash']}")
    print(f"The same request by hand:\n  curl -s {address}/api/v1/backtest -H {HEADER} -d @{EXAMPLE}")


def ask(
    settings: Settings, method: str, path: str, body: bytes | None = None, *, seconds: float
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of one request to the service. Raises OSError if there is no answer."""
    connection = http.client.HTTPConnection(_reachable(settings), settings.api_port, timeout=seconds)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def _reachable(settings: Settings) -> str:
    return "127.0.0.1" if settings.api_host in {"0.0.0.0", "::"} else settings.api_host  # noqa: S104 - compared


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
