"""The entry point: `Client(url).run(code, start, end)`."""

import difflib
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, TypedDict, Unpack
from urllib.parse import quote

from hqg_backtester.client.backoff import Backoff
from hqg_backtester.client.code import Code, source_of
from hqg_backtester.client.progress import Bar, Watcher
from hqg_backtester.client.result import Result
from hqg_backtester.client.run import Run
from hqg_backtester.client.transport import PATIENCE_SECONDS, Transport

DEFAULT_URL = "http://127.0.0.1:8005"
TOKEN_VARIABLE = "HQG_TOKEN"  # noqa: S105 - the name of a variable
PREPARE_SECONDS = 610.0
"""Maximum time of a submit: the service analyses the strategy and fetches its prices before it answers."""

RUNS = "/api/v1/runs"


class Terms(TypedDict, total=False):
    """The settings of a backtest; those left out take the service's defaults.

    These are the fields of the request except the code and the two dates, under the service's names: /docs says
    what each means. `universe` is a list of tickers to trade instead of the strategy's own.
    """

    universe: Sequence[str] | None
    name: str | None
    initial_capital: float
    commission: float | Mapping[str, Any]
    slippage: float | Mapping[str, Any]
    benchmark: str | None
    risk_free_rate: float | None
    min_trade_value: float
    delisting_return: float
    price_adjustment: str
    allow_short: bool
    max_gross: float
    borrow_rate: float
    margin_rate: float
    warmup_bars: int | None
    seed: int
    parameters: Mapping[str, Any]


class Client:
    """A service at an address. Safe to use from several threads.

    A request that cannot be answered now (busy, restarting, connection lost) is retried until patience runs
    out; nothing runs twice because of that. A service that has never answered is not waited for.

    Args:
        url: http://host:port, optionally with a path before /api.
        token: for a service with login; None takes it from the environment variable HQG_TOKEN.
        patience_seconds: total time to wait for a service that is busy or unavailable.

    Raises:
        ServiceUnavailable: the url is not valid.
    """

    def __init__(
        self, url: str = DEFAULT_URL, token: str | None = None, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        chosen = os.environ.get(TOKEN_VARIABLE, "") if token is None else token
        self._transport = Transport(url, chosen.strip(), lambda: Backoff(patience_seconds))

    def run(
        self,
        code: Code | None,
        start: date | str | None = None,
        end: date | str | None = None,
        *,
        rerun: bool = False,
        preset_id: str | None = None,
        progress: bool | None = None,
        **terms: Unpack[Terms],
    ) -> Result:
        """Run a backtest and return its result, with a progress bar while it runs.

        Ctrl-C cancels the run on the service and raises KeyboardInterrupt.

        Args:
            code, start, end, rerun, preset_id, terms: see `submit`.
            progress: False shows no bar; None shows one in a notebook and on a terminal.

        Raises:
            RunError: there is no result: StrategyRejected, StrategyFailed, NoPrices, RunCancelled, RunTimedOut, ….
            CodeUnavailable, RequestInvalid, Unauthorized, ServiceBusy, ServiceUnavailable, ServiceFault
        """
        with Bar(str(terms.get("name") or "backtest"), is_shown=progress) as bar:
            run = self.submit(code, start, end, rerun=rerun, preset_id=preset_id, watcher=bar, **terms)
            return run.wait(watcher=bar, cancel_on_interrupt=True)

    def submit(
        self,
        code: Code | None,
        start: date | str | None = None,
        end: date | str | None = None,
        *,
        rerun: bool = False,
        preset_id: str | None = None,
        watcher: Watcher | None = None,
        **terms: Unpack[Terms],
    ) -> Run:
        """Submit a backtest to the service; it runs there whether or not this program waits.

        Args:
            code: source text, the path of a .py file, or a Strategy class or object; see `source_of`. None takes the
                preset's.
            start, end: first and last day of the window, a date or ISO text. None takes the preset's.
            rerun: compute it again even if it has run before; the run's `recomputed` lists the differences.
            preset_id: settings not given here come from this preset.
            watcher: told why a request is retried.
            terms: see `Terms`.

        Raises:
            StrategyRejected, StrategyFailed, NoPrices, CodeUnavailable, RequestInvalid, Unauthorized,
            ServiceBusy, ServiceUnavailable, ServiceFault
            TypeError: a setting that does not exist.
        """
        _check_terms(terms)
        given = {"strategy_code": None if code is None else source_of(code), "start_date": start, "end_date": end}
        request = {name: _wire(value) for name, value in given.items() if value is not None} | dict(terms)
        query = {"preset_id": preset_id, "rerun": "true" if rerun else None}
        # The same key makes the service treat a repeated request as one.
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        transport = self._transport if watcher is None else self._transport.telling(watcher.trouble)
        answer = transport.ask("POST", RUNS, query=query, value=request, headers=headers, seconds=PREPARE_SECONDS)
        return Run(self._transport, answer.json())

    def get(self, run_hash: str) -> Run:
        """A run that was submitted earlier, here or elsewhere.

        Raises:
            RunNotFound, ClientError
        """
        return Run(self._transport, self._transport.ask("GET", f"{RUNS}/{quote(run_hash, safe='')}").json())

    def runs(
        self,
        *,
        status: str | None = None,
        name: str | None = None,
        symbol: str | None = None,
        since: date | str | None = None,
        page_size: int | None = None,
    ) -> Iterator[Run]:
        """Your runs, newest first, fetched lazily one page at a time.

        Args:
            status: queued, running, succeeded, failed, cancelled or timed_out.
            name: part of the name.
            symbol: one of the traded symbols.
            since: submitted at or after this time: a date (midnight UTC), a datetime (local time if it has no
                time zone) or ISO text with a time zone.
            page_size: runs per page.

        Raises:
            ClientError
        """
        query = {"status": status, "name": name, "symbol": symbol, "since": _moment(since), "limit": page_size}
        cursor: str | None = None
        while True:
            page = self._transport.ask("GET", RUNS, query=query | {"cursor": cursor}).json()
            yield from (Run(self._transport, summary) for summary in page["runs"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def __repr__(self) -> str:
        return f"Client({self._transport.url!r})"


def _check_terms(terms: Mapping[str, Any]) -> None:
    known = Terms.__annotations__
    for name in terms.keys() - known.keys():
        nearest = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise TypeError(f"{name} is not a term of a backtest{hint}")


def _wire(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _moment(value: date | str | None) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return datetime.combine(value, time(), UTC).isoformat() if isinstance(value, date) else value
