"""Starts the runner. Modules that few strategies use wait until one does: importing them is a tenth of the start."""

import importlib
import sys
import threading
from types import ModuleType
from typing import Any, NoReturn

_RARELY_USED = ("inspect", "tokenize")
"""Modules that dataclasses and linecache import, and need only for a dataclass without a docstring or a traceback."""

_PARSING = "hqg_algorithms.parsing"
"""Reads strategies without running them, which is done on the host: with it comes the standard library's parser."""

_lock = threading.RLock()


class _Deferred(ModuleType):
    """Stands in for a module until one of its attributes is used."""

    def __getattr__(self, name: str) -> Any:
        with _lock:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
            module = importlib.import_module(self.__name__)
        # At once, so that no other thread sees a part of it.
        vars(self).update(vars(module))
        return getattr(module, name)


def main() -> NoReturn:
    """Serve one job and exit; see src.execution.runner.__main__."""
    defer_imports()
    from src.execution.runner.__main__ import main  # noqa: PLC0415 - only now

    main()


def defer_imports() -> None:
    """Import hqg_algorithms, and let it and later imports do without what they rarely use."""
    for name in _RARELY_USED:
        sys.modules[name] = _Deferred(name)
    parsing = sys.modules[_PARSING] = _Blank(_PARSING)
    import hqg_algorithms  # noqa: PLC0415 - only now

    del sys.modules[_PARSING]
    names = frozenset(name for name, value in vars(hqg_algorithms).items() if value is parsing)
    for name in names:
        delattr(hqg_algorithms, name)

    def import_parsing(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module 'hqg_algorithms' has no attribute {name!r}")
        return getattr(importlib.import_module(_PARSING), name)

    hqg_algorithms.__getattr__ = import_parsing


class _Blank(ModuleType):
    """A module each of whose attributes is the module itself."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self
