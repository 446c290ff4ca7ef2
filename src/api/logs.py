"""Where log lines go: standard error, with the time in UTC."""

import logging
import time


def configure_logging(level: str) -> None:
    """Write records of at least that severity, unless whoever started the process has already decided.

    Args:
        level: a name of the logging module, such as INFO.
    """
    if logging.root.handlers:
        return
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.root.addHandler(handler)
    logging.root.setLevel(level)
