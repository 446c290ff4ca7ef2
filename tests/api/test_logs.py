import io
import json
import logging
import re

import pytest

from src.app.logs import LogFormat, configure_logging, log_handler
from tests.fakes.application import BACKTEST, REQUEST
from tests.fakes.backtests import FakeBacktests


@pytest.fixture
def written():
    """written(log_format): what our loggers write from then on."""
    logger, before = logging.getLogger("src"), logging.getLogger("src").level
    added: list[logging.Handler] = []

    def attach(log_format: LogFormat) -> io.StringIO:
        stream = io.StringIO()
        handler = log_handler(log_format)
        handler.setStream(stream)
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        added.append(handler)
        return stream

    yield attach
    for handler in added:
        logger.removeHandler(handler)
    logger.setLevel(before)


def test_json_has_one_object_per_line_with_the_request_and_its_run(connect, written):
    stream = written("json")
    answer = connect(FakeBacktests()).post(BACKTEST, json=REQUEST, headers={"X-Request-ID": "mine"})
    run, request = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (run["outcome"], run["request_id"], run["run_hash"]) == (
        "completed",
        "mine",
        answer.headers["X-Run-Hash"],
    )
    assert {"analysis_ms", "data_ms", "sandbox_ms", "audit_ms", "metrics_ms", "total_ms", "waited_ms"} <= set(run)
    assert (request["method"], request["path"], request["status"]) == ("POST", BACKTEST, 200)
    assert (request["request_id"], request["level"], request["logger"]) == ("mine", "info", "src.api.http.middleware")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", request["timestamp"])


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_clients_text_never_starts_a_log_line(written, log_format):
    stream = written(log_format)
    logging.getLogger("src.test").info("sent\n2026 forged %s", "\x1b[2J\r\nforged", extra={"field": "a\nforged"})
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_our_own_fault_is_written_with_its_traceback_and_without_local_variables(connect, written, log_format):
    stream = written(log_format)
    sent = REQUEST | {"strategy_code": "SECRET_ALPHA"}
    connect(FakeBacktests(error=RuntimeError("ours"))).post(BACKTEST, json=sent)
    assert "Traceback" in stream.getvalue()
    assert "RuntimeError: ours" in stream.getvalue()
    assert "SECRET_ALPHA" not in stream.getvalue()


def test_existing_logging_configuration_stays():
    handlers = list(logging.root.handlers)
    assert handlers, "the test runner has its own"
    configure_logging("DEBUG", "json")
    assert logging.root.handlers == handlers


def test_uvicorns_coloured_copy_of_a_sentence_is_left_out(written):
    stream = written("json")
    logging.getLogger("src.uvicorn").info("Started", extra={"color_message": "\x1b[36mStarted"})
    (record,) = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert record["event"] == "Started"
    assert "color_message" not in record
