"""A progress bar; silent unless the output is a terminal."""

import shutil
from types import TracebackType
from typing import Self, TextIO

WIDTH = 30


class ProgressBar:
    """One line at the bottom of a terminal that shows a job's progress.

    Args:
        stream: the output; nothing is written unless it is a terminal.
        n_steps: number of steps of the job.
    """

    def __init__(self, stream: TextIO, n_steps: int) -> None:
        self._stream = stream
        self._n_steps = n_steps
        self._n_done = 0
        self._is_shown = stream.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, what: str) -> None:
        """Redraw the line with the current step."""
        filled = WIDTH * self._n_done // max(self._n_steps, 1)
        line = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {self._n_done}/{self._n_steps} {what}"
        self._write("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Erase the line, so that something else can be printed."""
        self._write("\r\x1b[K")

    def advance(self) -> None:
        """Count one more step as done."""
        self._n_done += 1

    def _write(self, text: str) -> None:
        if self._is_shown:
            self._stream.write(text)
            self._stream.flush()
