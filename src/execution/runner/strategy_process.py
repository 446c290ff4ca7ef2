"""The process in which user code runs. It is forked before any price arrives and has only its pipes.

One descriptor carries its input, another its replies, and a third everything that it prints. The runner trusts no
reply and checks each frame.
"""

import errno
import gc
import importlib
import json
import linecache
import os
import resource
import struct
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from src.engine.simulator import ProtectedWeights
from src.execution.runner import dialects
from src.execution.runner.annotations import Annotations
from src.execution.runner.pipes import read_exactly, write_all
from src.execution.runner.randomness import seed_everything
from src.execution.runner.signal_origin import SOURCE_NAME, check_at_creation, origin_of
from src.execution.runner.signals import BadSignal, signal_reader
from src.execution.runner.strategy_seccomp import allow_only_what_user_code_needs, own_filter
from src.execution.runner.views import Asked, asked, frame_bytes, frame_reader

MODULE_NAME = "strategy"

PRELOAD_VARIABLE = "BOX_PRELOAD"

LOADED = b"L"
HOLD = b"H"
WEIGHTS = b"W"
ANNOTATED = b"A"
PROTECTED = b"P"
ERROR = b"E"
DESCRIPTION = b"D"

_PACKAGES_ON_NUMPY = frozenset(("numpy", "pandas", "scipy", "sklearn", "talib"))
_MAX_MESSAGE = 2_000
_MAX_FRAMES = 20


def preload(answers_out: int) -> None:
    """Import the modules that the environment names, then report that they are imported.

    A module that cannot be imported is skipped: the user's own import statement gives a better error.
    """
    for name in os.environ.pop(PRELOAD_VARIABLE, "").split(","):
        if name:
            with suppress(ImportError):
                importlib.import_module(name)
    write_all(answers_out, LOADED)


def serve(orders_in: int, answers_out: int) -> None:
    """Load the strategy, describe it, then return one decision per bar until the runner closes the pipe.

    Args:
        orders_in: descriptor with the job, then one fixed-size frame of doubles per decision.
        answers_out: descriptor for the replies.
    """
    try:
        # It writes line by line, since printed lines must be written before the process is killed or exits.
        annotations = Annotations()
        program = own_filter()  # a box is ready before its job comes, and has time for this
        job = json.loads(_read_message(orders_in))
        _limit_resources(job["limits"])
        allow_only_what_user_code_needs(program)
        strategy, uses_pandas = _load(job, annotations)
        universe, cadence = dialects.describe(strategy, job.get("universe"))
        _send_json(
            answers_out,
            DESCRIPTION,
            {
                "universe": universe,
                "bar_size": cadence.bar_size.value,
                "execution": cadence.execution.value,
                "warmup_bars": dialects.warm_up_of(strategy),
            },
        )
        offered = asked(job["source"])._replace(pandas=uses_pandas)
        read_signal = signal_reader(tuple(universe), job["allow_short"], job["max_gross"])
        _serve_bars(strategy, universe, offered, read_signal, annotations, orders_in, answers_out)
    except EOFError:
        return
    except BaseException as error:  # noqa: BLE001 - any exception of user code, even SystemExit, is its error
        _send_json(answers_out, ERROR, describe_error(error))


def _serve_bars(
    strategy: Any,
    universe: Sequence[str],
    offered: Asked,
    read_signal: Callable[[Any], Sequence[float] | None],
    annotations: Annotations,
    orders_in: int,
    answers_out: int,
) -> None:
    symbols = tuple(universe)
    pack = struct.Struct(f"=c{len(symbols)}d").pack
    pack_protected = struct.Struct(f"=c{4 * len(symbols)}d").pack
    length = frame_bytes(len(symbols), offered)
    views = frame_reader(symbols, offered)
    check_at_creation(symbols)
    on_data: Callable[[Any, Any], Any] = strategy.on_data
    points, printed = annotations.points, annotations.printed_bytes
    told_bytes = printed[0]  # what was printed while it was loading belongs to no bar
    while True:
        frame = os.read(orders_in, length)
        if len(frame) < length:
            frame += read_exactly(orders_in, length - len(frame))
        data, portfolio = views(frame)
        signal = on_data(data, portfolio)
        try:
            weights = read_signal(signal)
        except BadSignal as error:
            error.origin = origin_of(signal, on_data)
            raise
        if points or printed[0] != told_bytes:
            said = json.dumps({"points": points, "printed": [told_bytes, printed[0]]}).encode("ascii")
            write_all(answers_out, ANNOTATED + len(said).to_bytes(4, "little") + said)
            told_bytes = printed[0]
            points.clear()
        # Each reply is short enough for the pipe to take it whole.
        if type(weights) is ProtectedWeights:
            levels = (fraction for level in weights.levels for fraction in level)
            os.write(answers_out, pack_protected(PROTECTED, *weights, *levels))
        else:
            os.write(answers_out, HOLD if weights is None else pack(WEIGHTS, *weights))


def _limit_resources(limits: dict[str, int]) -> None:
    """Lower each RLIMIT named in `limits` ("DATA": bytes, …), soft and hard, to its value.

    A limit that is already as low is left alone: not every kernel lets a process set every limit.
    """
    for name, value in limits.items():
        which = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(which)
        if hard == resource.RLIM_INFINITY or hard > value:
            resource.setrlimit(which, (value, value))


def _load(job: dict[str, Any], annotations: Annotations) -> tuple[Any, bool]:
    """An instance of the job's strategy class, from running its source as a module, and whether that imports pandas."""
    dialects.install(annotations.plot)
    check_at_creation(())
    source = job["source"]
    linecache.cache[SOURCE_NAME] = (len(source), None, source.splitlines(keepends=True), SOURCE_NAME)
    code = compile(source, SOURCE_NAME, "exec", dont_inherit=True)
    packages = _PACKAGES_ON_NUMPY.intersection(_imports(code))
    seed_everything(job["seed"], uses_numpy="numpy" in sys.modules or bool(packages))
    if "talib" in packages and "pandas" not in packages:
        _import_without_pandas("talib")
    _offer_parameters(job["parameters"])
    module = types.ModuleType(MODULE_NAME)
    module.__file__ = SOURCE_NAME
    if job["needs_prelude"]:
        vars(module).update(dialects.DIALECT_4_NAMES)
    sys.modules[MODULE_NAME] = module
    # What exists so far lives as long as the process, so no collection of user code's garbage looks at it again.
    gc.freeze()
    gc.enable()
    exec(code, vars(module))  # noqa: S102 - what the box is for
    strategy = getattr(module, job["class_name"])
    parameters = dialects.parameters_of(strategy, job["parameters"])
    if parameters is not None:
        _offer_parameters(parameters)
        if not hasattr(strategy, "parameters"):
            strategy.parameters = parameters
    return strategy(), "pandas" in packages


def _import_without_pandas(name: str) -> None:
    """Import a module that would load pandas if it could: TA-Lib takes its series, and loads it for that in 0.3 s."""
    if "pandas" in sys.modules:
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]  # the import system's way to say that there is none
    with suppress(ImportError):  # the user's own import statement gives a better error
        importlib.import_module(name)
    del sys.modules["pandas"]


def _imports(code: types.CodeType) -> Iterator[str]:
    """The packages that the code's import statements name, at any depth, among other names in it."""
    yield from (name.partition(".")[0] for name in code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _imports(constant)


class _Parameters(types.ModuleType):
    """`import config`: the request's parameters as attributes and by key."""

    def __init__(self) -> None:
        super().__init__("config", "The parameters of this request.")

    def __getattr__(self, name: str) -> Any:
        # The error lists the existing parameters.
        known = ", ".join(sorted(self.__dict__["parameters"])) or "none"
        raise AttributeError(f"the request has no parameter {name!r} (it has: {known})")

    def __getitem__(self, name: str) -> Any:
        return self.__dict__["parameters"][name]

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__["parameters"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__["parameters"])

    def get(self, name: str, default: Any = None) -> Any:
        """The parameter, or the default if the request does not have it."""
        return self.__dict__["parameters"].get(name, default)


def _offer_parameters(values: dict[str, Any]) -> None:
    # In place: code that has imported it gets the defaults of a class that is created later.
    config = vars(sys.modules.setdefault("config", _Parameters()))
    config["parameters"] = dict(values)
    config.update(values)


def describe_error(error: BaseException) -> dict[str, Any]:
    """The error's type, bounded message and frames in the user's own source, innermost last.

    Never raises, although every attribute of the error, even its type's name, may be user code.
    """
    try:
        return {
            "type": _type_name(error),
            "message": _message(error),
            "frames": _user_frames(error)[-_MAX_FRAMES:],
            "is_memory": _is_memory(error),
        }
    except BaseException:  # noqa: BLE001 - user code may raise any exception here
        message = "(what was raised cannot be described)"
        return {"type": _type_name(error), "message": message, "frames": [], "is_memory": False}


def _is_memory(error: BaseException) -> bool:
    kind = type(error)
    # mmap reports it as the kernel's error.
    return issubclass(kind, MemoryError) or (issubclass(kind, OSError) and error.errno == errno.ENOMEM)  # type: ignore[attr-defined]


def _type_name(error: BaseException) -> str:
    # A metaclass may define __name__; this reads the type's own.
    name: str = vars(type)["__name__"].__get__(type(error))
    return str.__getitem__(name, slice(100))


def _message(error: BaseException) -> str:
    try:
        return str.__getitem__(str(error), slice(_MAX_MESSAGE))
    except BaseException as nested:  # noqa: BLE001 - __str__ is user code too
        return f"(its message cannot be read: {_type_name(nested)})"


def _user_frames(error: BaseException) -> list[tuple[int, str]]:
    if isinstance(error, SyntaxError) and error.filename == SOURCE_NAME:
        return [(error.lineno or 0, "<module>")]
    if isinstance(error, BadSignal) and error.origin:
        return [error.origin]
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == SOURCE_NAME:
            frames.append((trace.tb_lineno, code.co_name[:100]))
        trace = trace.tb_next
    return frames


def _read_message(descriptor: int) -> bytes:
    length = int.from_bytes(read_exactly(descriptor, 4), "little")
    return read_exactly(descriptor, length)


def _send_json(descriptor: int, kind: bytes, value: Any) -> None:
    payload = json.dumps(value).encode("ascii")
    write_all(descriptor, kind + len(payload).to_bytes(4, "little") + payload)
