"""Logs to standard error, one line per record, for people or for machines."""

import logging
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["console", "json"]


def configure_logging(level: str, log_format: LogFormat) -> None:
    """Log records of at least that severity, unless logging is already configured.

    Args:
        level: a name of the logging module, such as INFO.
        log_format: see `log_handler`.
    """
    if logging.root.handlers:
        return
    logging.root.addHandler(log_handler(log_format))
    logging.root.setLevel(level)


def log_handler(log_format: LogFormat) -> logging.Handler:
    """The handler for records of the standard logging module; their `extra` become fields.

    Args:
        log_format: "console" writes one readable line per record, "json" one JSON object per line.
    """
    renderer: Processor = structlog.processors.JSONRenderer()
    if log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _on_one_line,
            *([structlog.processors.format_exc_info] if log_format == "json" else []),
            renderer,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    return handler


def _on_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape line breaks: a record may hold a client's text, which must not forge a line."""
    # uvicorn adds each message a second time, with terminal colours.
    return {name: _escaped(value) for name, value in event.items() if name != "color_message"}


def _escaped(value: Any) -> Any:
    if isinstance(value, str) and not value.isprintable():
        return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in value)
    return value
