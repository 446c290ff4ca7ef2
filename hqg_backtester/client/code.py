"""A strategy's source text from text, a file, a class or an instance."""

import os
from pathlib import Path

from hqg_backtester.client.class_source import class_source
from hqg_backtester.client.errors import CodeUnavailable

Code = str | os.PathLike[str] | type | object
"""Source text, the path of a file, a Strategy class, or an instance of one."""


def source_of(code: Code) -> str:
    """The source text that is sent for this code.

    Args:
        code: one line of text that ends in .py is a path; any other text is source. The source of a class is sent
            with the imports, constants, functions and classes of its module or notebook that it uses.
            An instance stands for its class: attributes set on it are not sent.

    Raises:
        CodeUnavailable: the message says why and what to do.
    """
    if isinstance(code, str):
        return _file_text(Path(code)) if _is_path(code) else code
    if isinstance(code, os.PathLike):
        return _file_text(Path(code))
    return class_source(code if isinstance(code, type) else type(code))


def _is_path(text: str) -> bool:
    return "\n" not in text and text.endswith(".py")


def _file_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise CodeUnavailable(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise CodeUnavailable(f"{path} is not UTF-8 text.") from error
