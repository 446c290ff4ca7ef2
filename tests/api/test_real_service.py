"""The API on real boxes: what fakes cannot show of limits, disconnects, the older contract and stopping."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.api.real_service import HANGING, WINDOW, Service
from tests.fakes.application import wait_until
from tests.servers import servers

pytestmark = pytest.mark.slow


def test_a_client_that_leaves_frees_its_box_at_once(service: Service) -> None:
    with service.hanging_run():
        assert service.n_boxes() == 1
    wait_until(lambda: service.n_boxes() == 0)


@pytest.mark.parametrize("service", [{"max_request_time": 1.5}], indirect=True)
def test_a_request_that_takes_too_long_ends_with_504_and_its_box_is_gone(service: Service) -> None:
    assert service.post("/api/v1/backtest", {"strategy_code": HANGING, **WINDOW})[0] == 504
    wait_until(lambda: service.n_boxes() == 0)


@pytest.mark.parametrize("service", [{"max_concurrent_runs": 1, "max_queued_runs": 0}], indirect=True)
def test_a_full_service_refuses_and_the_place_is_free_once_the_client_has_gone(service: Service) -> None:
    honest = {"strategy_code": HANGING.replace("while True:\n            pass", "return {}"), **WINDOW}
    with service.hanging_run():
        assert service.post("/api/v1/backtest", honest)[0] == 503
    wait_until(lambda: service.n_boxes() == 0)
    wait_until(lambda: service.post("/api/v1/backtest", honest)[0] == 200)


def test_every_dialect_runs_through_the_older_contract(service: Service, strategies_folder: Path) -> None:
    for path in sorted(strategies_folder.glob("dialect_*.py")):
        status, answer = service.post("/backtest", {"code": path.read_text(), **WINDOW})
        assert (status, answer["success"]) == (200, True), (path.name, answer)
        assert answer["data"]["summary"]["numTrades"] > 0
        assert len(answer["data"]["equityCurve"]) > 400


def test_tickers_override_the_universe_and_the_rate_is_of_the_traded_value(
    service: Service, strategies_folder: Path
) -> None:
    code = (strategies_folder / "dialect_4_no_imports.py").read_text()
    free = {"code": code.replace('["SPY"]', "[]"), "tickers": ["spy"], **WINDOW}
    status, answer = service.post("/backtest", free)
    assert status == 200, answer
    orders = answer["data"]["orders"]
    assert {order["symbol"] for order in orders} == {"SPY"}
    status, paid = service.post("/backtest", {**free, "commission_rate": 0.001, "initial_cash": 5000})
    first = paid["data"]["orders"][0]
    assert first["fee"] == pytest.approx(0.001 * first["shares"] * first["price"])
    assert paid["data"]["summary"]["initialCash"] == 5000.0
    status, refused = service.post("/backtest", {"code": code, "tickers": ["QQQ"], **WINDOW})
    assert (status, refused["error"]["type"]) == (400, "execution_error")
    assert "'SPY' is not in the universe (QQQ)" in refused["error"]["messages"][0]


def test_curl_with_the_strategy_s_file_gives_the_same_answer_as_json(service: Service, strategies_folder: Path) -> None:
    path = strategies_folder / "dialect_1_class_attributes.py"
    url = f"http://127.0.0.1:{service.port}/api/v1/backtest?start_date=2015-01-01&end_date=2016-12-31"
    command = ["curl", "-s", "--data-binary", f"@{path}", "-H", "Content-Type: text/x-python", url]
    by_curl = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    status, by_json = service.post("/api/v1/backtest", {"strategy_code": path.read_text(), **WINDOW})
    assert status == 200
    assert by_curl["run_hash"] == by_json["run_hash"]
    assert by_curl["orders"] == by_json["orders"]


def test_a_service_that_stops_while_a_run_hangs_answers_and_ends(backend: str, tmp_path: Path) -> None:
    with servers(1, tmp_path, SANDBOX=backend, SANDBOX_POOL_SIZE="2") as [server]:
        service = Service(server.port, backend, server.process.pid)
        wait_until(lambda: service.n_boxes() >= 2, seconds=30)
        with service.hanging_run() as stream:
            wait_until(service.has_begun)
            server.process.send_signal(signal.SIGTERM)
            stream.settimeout(60)
            assert stream.recv(100).startswith(b"HTTP/1.1 503 ")
            server.stop()
        assert service.n_boxes() == 0


@pytest.mark.parametrize("service", [{"hqg_profile": True}], indirect=True)
def test_a_profile_of_the_box_is_logged_on_request(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="src")
    code = HANGING.replace("while True:\n            pass", "return {}")
    assert service.post("/api/v1/backtest", {"strategy_code": code, **WINDOW})[0] == 200
    [profile] = [record for record in caplog.records if record.getMessage().startswith("box profile: ")]
    assert 0 < profile.open_ms <= profile.first_word_ms <= profile.life_ms
    assert profile.bytes_in > 504 * 8 * 5
    assert profile.bytes_out > 0
