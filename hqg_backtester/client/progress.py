"""A progress bar on a terminal or in a notebook; silent elsewhere."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

from hqg_backtester.client.events import Event
from hqg_backtester.client.text import on_one_line, printable


class Watcher(Protocol):
    """Receives a run's events."""

    def see(self, event: Event) -> None:
        """One event of the run."""
        ...

    def trouble(self, why: Exception) -> None:
        """Receive the reason why a request is retried."""
        ...


class Bar:
    """A tqdm bar in a notebook or on a terminal; elsewhere nothing is written.

    Without the package tqdm there is no bar.

    Args:
        name: the run's name.
        is_shown: False hides it; None shows it on a terminal or in a notebook.
        shows_logs: print what the strategy prints, above the bar.
        stream: the output; None is standard error, or the notebook's cell.
    """

    def __init__(
        self, name: str, *, is_shown: bool | None = None, shows_logs: bool = False, stream: TextIO | None = None
    ) -> None:
        self._bar = None if is_shown is False else _tqdm_bar(on_one_line(name), stream)
        self._stream = stream
        self._shows_logs = shows_logs
        self.n_lines_shown = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def see(self, event: Event) -> None:
        """Update the bar from the event."""
        if self._bar is None or self._bar.disable:
            return
        match event.kind:
            case "queued":
                position = event.data.get("position")
                self._say(f"queued, {position} ahead of it" if position else "queued")
            case "started":
                # A repeated attempt starts from the beginning.
                self._bar.n = 0
                self._say("running")
            case "progress":
                self._advance(event.data)
            case "log":
                self._print(event.data.get("lines") or [])
            case "finished":
                self._bar.n = self._bar.total if event.data.get("status") == "succeeded" else self._bar.n
                self._say(str(event.data.get("status", "")).replace("_", " "))

    def trouble(self, why: Exception) -> None:
        """Show why a request is retried."""
        if self._bar is not None and not self._bar.disable:
            self._say(f"retrying: {why}")

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(on_one_line(text), refresh=True)

    def _advance(self, data: dict[str, Any]) -> None:
        if self._bar is not None:
            self._bar.n = round(100 * float(data.get("share") or 0.0), 1)
        equity = data.get("equity")
        money = f", {equity:,.2f}" if isinstance(equity, int | float) else ""
        self._say(f"{data.get('day', '')}{money}")

    def _print(self, lines: Sequence[str]) -> None:
        if not self._shows_logs or self._bar is None:
            return
        self._bar.write("\n".join(printable(str(line)) for line in lines), file=self._stream or sys.stderr)
        self.n_lines_shown += len(lines)


def _tqdm_bar(name: str, stream: TextIO | None) -> Any:
    try:
        # Imported late: tqdm is optional and slow to import.
        from tqdm.auto import tqdm  # noqa: PLC0415
    except ImportError:
        return None
    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}"
    # disable=None: no bar unless the stream is a terminal.
    return tqdm(total=100, desc=name, bar_format=form, file=stream, disable=None, leave=False, dynamic_ncols=True)
