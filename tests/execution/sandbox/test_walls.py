"""Attacks by hostile strategies in real boxes, and their outcomes, on every backend."""

import os
import re
from collections.abc import Sequence
from typing import Any

import pytest

from src.errors import StrategyFailed
from src.execution.sandbox.base import Sandbox
from tests.conftest import open_sandbox
from tests.execution.box_runs import HONEST, LONG_SECONDS, PRELUDE, is_memory_error, price_table, run_in_box


def is_gvisor(sandbox: Sandbox) -> bool:
    return sandbox.name.endswith("+runsc")


def failure(sandbox: Sandbox, body: str, wall_seconds: float = LONG_SECONDS, **rules: Any) -> StrategyFailed:
    with pytest.raises(StrategyFailed) as caught:
        run_in_box(sandbox, PRELUDE + body, wall_seconds=wall_seconds, **rules)
    return caught.value


def logs(sandbox: Sandbox, body: str) -> list[str]:
    return list(run_in_box(sandbox, PRELUDE + body, prices=price_table(5)).logs)


def on_data(*lines: str, before: str = "") -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"{before}\nclass Mine(Base):\n    def on_data(self, data, portfolio):\n{body}\n"


def test_an_honest_strategy_runs(sandbox: Sandbox) -> None:
    reply = run_in_box(sandbox, HONEST)
    assert reply.decisions == 250
    assert reply.equity[0] == pytest.approx(10_000.0)


def test_an_exception_is_reported_with_message_line_and_day(sandbox: Sandbox) -> None:
    body = on_data("self.n = getattr(self, 'n', 0) + 1", "if self.n == 3:", "    1 / 0", "return Hold()")
    error = failure(sandbox, body)
    assert error.errors == ["ZeroDivisionError: division by zero (line 15, on_data, 2014-01-03)"]
    assert "1 / 0" in error.traceback
    assert "strategy_process" not in error.traceback


def test_an_exception_while_loading_is_reported_with_its_line(sandbox: Sandbox) -> None:
    assert failure(sandbox, "x = {}['missing']\nclass Mine(Base): pass\n").errors == ["KeyError: 'missing' (line 10)"]


def test_logs_before_the_failure_are_kept(sandbox: Sandbox) -> None:
    error = failure(sandbox, on_data("print('here I am')", "self.log('and here')", "raise ValueError('no')"))
    assert error.logs == ["here I am", "and here"]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("TargetWeights({'AAA': float('nan')})", "weight of AAA is NaN"),
        ("{'AAA': -0.5}", "AAA"),
        ("{'AAA': 0.9, 'BBB': 0.9}", "1.8"),
        ("{'QQQ': 1.0}", "'QQQ' is not in the universe"),
        ("42", "42"),
    ],
)
def test_an_invalid_signal_ends_the_run_and_names_the_day(sandbox: Sandbox, answer: str, complaint: str) -> None:
    (error,) = failure(sandbox, on_data(f"return {answer}")).errors
    assert complaint in error
    assert "2014-01-01" in error


@pytest.mark.parametrize(
    ("statements", "place"),
    [
        (["signal = TargetWeights({'QQQ': 1.0})", "return signal"], "line 13, on_data"),
        (
            ["def weights(symbol):", "    return TargetWeights({symbol: 1.0})", "return weights('QQQ')"],
            "line 14, weights",
        ),
        (["", "return {'QQQ': 1.0}"], "line 12, on_data"),
    ],
    ids=["made in on_data", "made in a function", "a dict, which remembers nothing"],
)
def test_a_signal_with_an_unknown_symbol_is_reported_with_its_line(
    sandbox: Sandbox, statements: list[str], place: str
) -> None:
    error = failure(sandbox, on_data(*statements))
    assert error.errors == [f"'QQQ' is not in the universe (AAA, BBB) ({place}, 2014-01-01)"]
    assert f'File "strategy.py", {place.replace(", ", ", in ")}' in error.traceback


@pytest.mark.parametrize(
    "weights", ["nan, 0.5", "0.5, nan", "-0.1, 0.5", "0.9, 0.2", "inf, 0.0", "inf, -inf", "1e308, 1e308"]
)
def test_weights_that_bypass_the_strategy_processs_check_are_rejected(sandbox: Sandbox, weights: str) -> None:
    body = on_data(
        f"os.write(4, b'W' + struct.pack('=2d', {weights}))",
        "time.sleep(1000)",
        before="import os, struct, time\nfrom math import inf, nan",
    )
    assert failure(sandbox, body).errors == [
        "on_data did not return a valid signal: each weight must be at least 0 and their sum at most 1 at 2014-01-01"
    ]


@pytest.mark.parametrize(
    "levels", ["nan, 0, 0", "1.0, 0, 0", "-0.1, 0, 0", "0, inf, 0", "0, -1, 0", "0, 0, nan", "0, 0, 2.0"]
)
def test_levels_that_bypass_the_strategy_processs_check_are_rejected(sandbox: Sandbox, levels: str) -> None:
    body = on_data(
        f"os.write(4, b'P' + struct.pack('=8d', 0.5, 0.5, 0, 0, 0, {levels}))",
        "time.sleep(1000)",
        before="import os, struct, time\nfrom math import inf, nan",
    )
    assert failure(sandbox, body).errors == [
        "on_data did not return a valid signal: each level must be a fraction of at least 0, and of a stop below 1"
        " at 2014-01-01"
    ]


def test_weights_that_bypass_the_check_beside_levels_are_rejected(sandbox: Sandbox) -> None:
    body = on_data(
        "os.write(4, b'P' + struct.pack('=8d', 0.9, 0.9, *[0.0] * 6))",
        "time.sleep(1000)",
        before="import os, struct, time",
    )
    assert failure(sandbox, body).errors[0].startswith("on_data did not return a valid signal: each weight")


def test_the_client_is_not_in_a_box(sandbox: Sandbox) -> None:
    (error,) = failure(sandbox, on_data("hqg_backtester.Client", before="import hqg_backtester")).errors
    assert error.startswith("ModuleNotFoundError: No module named 'hqg_backtester.client'")


@pytest.mark.parametrize(
    ("allow_short", "weights"),
    [(True, "-1.5, 0.6"), (True, "nan, -0.5"), (True, "-inf, inf"), (False, "-0.1, 0.5"), (False, "1.5, 0.6")],
)
def test_short_and_leveraged_weights_that_bypass_the_strategy_processs_check_are_rejected(
    sandbox: Sandbox, allow_short: bool, weights: str
) -> None:
    body = on_data(
        f"os.write(4, b'W' + struct.pack('=2d', {weights}))",
        "time.sleep(1000)",
        before="import os, struct, time\nfrom math import inf, nan",
    )
    (error,) = failure(sandbox, body, allow_short=allow_short, max_gross=2.0).errors
    limit = "the sizes of the weights must" if allow_short else "each weight must be at least 0 and their"
    assert error.startswith(f"on_data did not return a valid signal: {limit} sum")
    assert error.endswith("at most 2 at 2014-01-01")


def test_a_hang_ends_at_the_time_limit_and_names_the_day(sandbox: Sandbox) -> None:
    assert failure(sandbox, on_data("while True: pass"), wall_seconds=1.0).errors == [
        "time limit of 1 s exceeded at 2014-01-01"
    ]


def test_a_sleep_ends_at_the_time_limit(sandbox: Sandbox) -> None:
    body = on_data("time.sleep(1000)", before="import time")
    assert failure(sandbox, body, wall_seconds=1.0).errors == ["time limit of 1 s exceeded at 2014-01-01"]


def test_a_hang_while_loading_ends_at_the_time_limit(sandbox: Sandbox) -> None:
    assert failure(sandbox, "class Mine(Base): pass\nwhile True: pass\n", wall_seconds=1.0).errors == [
        "time limit of 1 s exceeded while the strategy was loading"
    ]


def test_a_memory_bomb_is_reported_with_the_limit_and_the_day(sandbox: Sandbox) -> None:
    (error,) = failure(sandbox, on_data("x = []", "while True: x.append(bytearray(1 << 24))")).errors
    if is_gvisor(sandbox):
        # gVisor's kernel is a process in the box: out of memory, it dies with everything inside, including the runner.
        assert is_memory_error(sandbox, error)
    else:
        assert error.startswith("memory limit of 512 MB exceeded at 2014-01-01")


def test_memory_that_no_limit_counts_is_denied(sandbox: Sandbox) -> None:
    private = "mmap.mmap(-1, {}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ)"
    shared = ("mmap.mmap(-1, 1 << 28)", "mmap.mmap(-1, 4096)", "mmap.mmap(-1, 4096, flags=0x23)")
    said = outcomes(sandbox, (*shared, private.format((1 << 30) + 1), private.format(1 << 20)), "import mmap")
    assert list(said.values()) == [*["PermissionError"] * len(shared), "OSError", "allowed"]


def test_an_output_flood_is_reported(sandbox: Sandbox) -> None:
    (error,) = failure(sandbox, on_data("while True: print('x' * 100_000)")).errors
    assert error == "output limit of 16 MB exceeded at 2014-01-01: print less"


def test_exceeding_the_order_limit_ends_the_run_on_that_day(sandbox: Sandbox) -> None:
    body = on_data(
        "self.n = getattr(self, 'n', 0) + 1",
        "return TargetWeights({'AAA': 1.0} if self.n % 2 else {'BBB': 1.0})",
    )
    # One order on the first day, two on each later day.
    assert len(run_in_box(sandbox, PRELUDE + body, prices=price_table(3), max_orders=5).day) == 5
    with pytest.raises(StrategyFailed) as caught:
        run_in_box(sandbox, PRELUDE + body, prices=price_table(250), max_orders=5)
    assert caught.value.errors == ["limit of 5 orders exceeded at 2014-01-06: trade less often or fewer symbols"]


def test_long_output_is_cut_and_counted(sandbox: Sandbox) -> None:
    reply = run_in_box(sandbox, PRELUDE + on_data("print('y' * 99_999)", "return Hold()"), prices=price_table(5))
    assert sum(map(len, reply.logs)) <= 256 * 1024
    assert reply.lost_output_bytes == 5 * 100_000 - 256 * 1024


# 137 and 139 are a shell's codes for SIGKILL and SIGSEGV: an exit with one is distinguished from the signal.
@pytest.mark.parametrize("code", [0, 7, 137, 139])
def test_exiting_with_os_exit_is_reported(sandbox: Sandbox, code: int) -> None:
    assert failure(sandbox, on_data(f"os._exit({code})", before="import os")).errors == [
        f"the strategy ended its own process with exit code {code} at 2014-01-01"
    ]


def test_files_of_the_host_and_of_other_runs_do_not_exist_in_the_box(sandbox: Sandbox) -> None:
    body = on_data(
        "for path in ('/etc/passwd', '/etc/shadow', '/etc/hostname'):",
        "    if os.path.exists(path) and open(path).read().strip() not in ('', 'sandbox'): print(path)",
        # An interpreter in a home folder makes its parent folders visible, but empty except for the path to it.
        "way = sys.base_prefix.split('/')[1:]",
        "for path in ('/root', '/home', '/var', '/run', '/boot', '/srv', '/opt', '/tmp'):",
        "    names = os.listdir(path) if os.path.isdir(path) else []",
        "    print([n for n in names if [path[1:], n] != way[:2]])",
        "return Hold()",
        before="import os, sys",
    )
    assert set(run_in_box(sandbox, PRELUDE + body, prices=price_table(1)).logs) == {"[]"}


def test_a_strategy_that_kills_itself_is_not_out_of_memory(sandbox: Sandbox) -> None:
    body = on_data("os.abort()", before="import os")
    assert failure(sandbox, body).errors == ["the strategy's process crashed at 2014-01-01"]
    (error,) = failure(sandbox, on_data("os.kill(os.getpid(), 9)", before="import os")).errors
    assert error.startswith("PermissionError")


def test_a_segmentation_fault_is_reported(sandbox: Sandbox) -> None:
    body = on_data("ctypes.string_at(0)", before="import ctypes")
    assert failure(sandbox, body).errors == ["the strategy's process crashed at 2014-01-01"]


UNREADABLE = "the strategy's process sent an unreadable reply at 2014-01-01"


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("report(b'{}')", UNREADABLE),
        ("report(b'[]')", UNREADABLE),
        ("report(b'\\xff')", UNREADABLE),
        ("report(b'[' * 100_000)", UNREADABLE),
        ('report(b\'{"type": [], "message": 1, "frames": [[1e999, 2]], "is_memory": 0}\')', UNREADABLE),
        ("b'E' + (1 << 31).to_bytes(4, 'little')", UNREADABLE),
        ("b'D' + (2).to_bytes(4, 'little') + b'{}'", UNREADABLE),
        ("b'HH'", UNREADABLE),
        ("bytes(17)", UNREADABLE),
        (
            "report(json.dumps(dict(type='a\\nb: c', message='m' * 10**5, frames=[], is_memory=False)).encode())",
            f"'a\\nb: c': {'m' * 2_000} (2014-01-01)",
        ),
    ],
)
def test_a_forged_frame_is_a_clean_failure_that_keeps_the_logs(sandbox: Sandbox, frame: str, error: str) -> None:
    body = on_data(
        "print('before', flush=True)",
        f"os.write(4, {frame})",
        "time.sleep(1000)",
        before="import json, os, time\ndef report(text): return b'E' + len(text).to_bytes(4, 'little') + text",
    )
    caught = failure(sandbox, body)
    assert (caught.errors, caught.logs) == ([error], ["before"])


@pytest.mark.parametrize("description", ["{}", '{"universe": [NaN]}', "[1]", '{"universe": ["../x"]}'])
def test_a_forged_description_is_a_clean_failure_that_keeps_the_logs(sandbox: Sandbox, description: str) -> None:
    body = (
        "import os, time\nprint('before', flush=True)\n"
        f"os.write(4, b'D' + ({len(description)}).to_bytes(4, 'little') + b'{description}')\ntime.sleep(1000)\n"
    )
    caught = failure(sandbox, body)
    unreadable = "the strategy's process sent an unreadable reply while the strategy was loading"
    assert (caught.errors, caught.logs) == ([unreadable], ["before"])


def test_an_error_whose_type_lies_about_its_name_gets_its_real_name(sandbox: Sandbox) -> None:
    before = "\n".join((
        "class Liar(type):",
        "    __name__ = property(lambda cls: 1 / 0)",
        "class Lie(Exception, metaclass=Liar): pass",
    ))  # fmt: skip
    assert failure(sandbox, on_data("raise Lie('no')", before=before)).errors == [
        "Lie: no (line 15, on_data, 2014-01-01)"
    ]


def test_a_model_that_requests_several_processes_trains_without_a_warning_in_the_logs(sandbox: Sandbox) -> None:
    body = on_data(
        "x = np.arange(40.0).reshape(20, 2)",
        "RandomForestRegressor(4, n_jobs=2).fit(x, x[:, 0]).predict(x)",
        "GridSearchCV(Ridge(), {'alpha': [1, 2]}, cv=2, n_jobs=-1).fit(x, x[:, 0])",
        "return Hold()",
        before="import numpy as np\nfrom sklearn.ensemble import RandomForestRegressor\n"
        "from sklearn.linear_model import Ridge\nfrom sklearn.model_selection import GridSearchCV",
    )
    assert list(run_in_box(sandbox, PRELUDE + body, prices=price_table(1)).logs) == []


def test_ta_lib_computes_on_history_without_loading_pandas(sandbox: Sandbox) -> None:
    """It would, in 0.3 s, where it can."""
    body = on_data(
        "closes = np.array(data.history('AAA', 20))",
        "if len(closes) == 20:",
        "    print(talib.SMA(closes, 5)[-1] - closes[-5:].mean(), abstract.EMA({'close': closes}, 3).shape)",
        "    handle = stream.RSI(closes[:-1], 14)",
        "    print(handle.update(closes[-1]) == talib.RSI(closes, 14)[-1], 'pan' + 'das' in sys.modules)",
        "return Hold()",
        before="import sys\nimport numpy as np, talib\nfrom talib import abstract, stream",
    )
    lines = run_in_box(sandbox, PRELUDE + body, prices=price_table(20)).logs
    assert lines[0].endswith("(20,)")
    assert abs(float(lines[0].split()[0])) < 1e-9
    assert lines[1] == "True False"


def test_ta_lib_takes_the_series_of_a_strategy_that_imports_pandas(sandbox: Sandbox) -> None:
    body = on_data(
        "table = data.frame('AAA', 30)",
        "if len(table) == 30:",
        "    print(talib.RSI(table['close'], 14).index.equals(table.index), len(SMA(table, 5).dropna()))",
        "return Hold()",
        before="import pandas, talib\nfrom talib.abstract import SMA",
    )
    assert list(run_in_box(sandbox, PRELUDE + body, prices=price_table(30)).logs) == ["True 26"]


def test_closing_the_pipes_is_reported(sandbox: Sandbox) -> None:
    (error,) = failure(sandbox, on_data("os.closerange(0, 100)", before="import os")).errors
    assert "2014-01-01" in error


def outcomes(sandbox: Sandbox, expressions: Sequence[str], before: str) -> dict[str, str]:
    """The outcome of each expression, all tried in one decision: "allowed", or the name of the kernel's error."""
    body = on_data(
        f"for expression in {list(expressions)!r}:",
        "    try: eval(expression); print('allowed')",
        "    except OSError as error: print(type(error).__name__)",
        "return Hold()",
        before=before,
    )
    reply = run_in_box(sandbox, PRELUDE + body, prices=price_table(1))
    return dict(zip(expressions, reply.logs, strict=True))


def test_no_signal_leaves_the_strategy_process(sandbox: Sandbox) -> None:
    # Its own process as well: a process that can wake itself could run while prices arrive.
    targets = ("os.getppid()", "1", "-1", "0", "os.getpid()", "-os.getpid()")
    names = ("SIGTERM", "SIGALRM", "SIGSTOP", "SIGKILL", "SIGINT", "SIGCONT")
    signals = [f"os.kill({target}, signal.{name})" for target in targets for name in names]
    assert outcomes(sandbox, signals, "import os, signal") == dict.fromkeys(signals, "PermissionError")


LIBC = """
import ctypes, fcntl, os, select, signal, socket, struct, threading
libc = ctypes.CDLL(None, use_errno=True)
def c(name, *arguments):
    arguments = [(ctypes.c_char * len(a)).from_buffer(a) if isinstance(a, bytearray) else a for a in arguments]
    if getattr(libc, name)(*arguments) == -1: raise OSError(ctypes.get_errno(), name)
"""
REFUSED = (
    "os.fork()",
    "os.posix_spawn('/usr/bin/env', ['env'], {})",
    "os.execv('/usr/local/bin/python', ['python'])",
    "open('/tmp/f', 'w')",
    "os.mkdir('/tmp/d')",
    "os.open('/tmp', os.O_TMPFILE | os.O_RDWR)",
    "os.rename('/tmp', '/tmp2')",
    "os.setsid()",
    "os.setpgid(0, 0)",
    "os.sched_setaffinity(0, {0})",
    "socket.socket(socket.AF_INET)",
    "socket.socket(socket.AF_INET6)",
    "socket.socket(socket.AF_UNIX)",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "socket.getaddrinfo('example.com', 80)",
    "os.memfd_create('x')",
    "os.symlink('/a', '/tmp/b')",
    "os.chmod('/tmp', 0o777)",
    "os.chroot('/tmp')",
    "os.nice(-1)",
    # Calls that deliver a signal later, on a pipe's or a timer's event.
    *(
        f"fcntl.fcntl({d}, {c}, {v})"
        for d in (1, 3)
        for c, v in (
            ("fcntl.F_SETOWN", "os.getpid()"),
            ("fcntl.F_SETOWN", "1"),
            ("fcntl.F_SETSIG", "signal.SIGCONT"),
            ("fcntl.F_SETSIG", "signal.SIGSTOP"),
            ("fcntl.F_SETFL", "os.O_ASYNC"),
            ("fcntl.F_SETFL", "os.O_NONBLOCK"),
            ("fcntl.F_SETPIPE_SZ", "1 << 20"),
        )
    ),
    "fcntl.fcntl(1, 15, struct.pack('=ii', 1, os.getpid()))",  # F_SETOWN_EX
    "fcntl.fcntl(os.open('/tmp', os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)",
    "fcntl.fcntl(os.open('/dev/null', os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
    "fcntl.ioctl(1, 0x5452, struct.pack('=i', 1))",  # FIOASYNC
    "fcntl.ioctl(1, 0x8901, struct.pack('=i', os.getpid()))",  # FIOSETOWN
    "os.open('/dev/null', os.O_RDONLY | os.O_ASYNC)",
    "os.set_blocking(1, False)",
    "signal.setitimer(signal.ITIMER_REAL, 1000.0)",
    "signal.raise_signal(signal.SIGCONT)",
    "signal.pthread_kill(threading.get_ident(), signal.SIGCONT)",
    "select.epoll()",
    "select.poll().poll(0)",
    "os.pipe()",
    "os.eventfd(0)",
    "c('timerfd_create', 1, 0)",
    "c('signalfd', -1, bytes(128), 0)",
    "c('timer_create', 1, None, bytearray(8))",
    "c('sigqueue', 1, signal.SIGCONT, None)",
    "c('sigqueue', os.getpid(), signal.SIGCONT, None)",
    "c('prctl', 1, signal.SIGCONT, 0, 0, 0)",  # PR_SET_PDEATHSIG
    "c('prctl', 4, 1, 0, 0, 0)",  # PR_SET_DUMPABLE
    "c('shmget', 0, 4096, 0o1600)",
    "c('personality', 0)",
)


def test_the_kernel_denies_these_system_calls(sandbox: Sandbox) -> None:
    said = outcomes(sandbox, REFUSED, LIBC)
    refusals = {"PermissionError", "OSError", "gaierror", "itimer_error", "FileNotFoundError"}
    assert {expression: word for expression, word in said.items() if word not in refusals} == {}


def test_a_strategy_may_have_a_few_threads(sandbox: Sandbox) -> None:
    body = on_data(
        "stop = threading.Event()",
        "threads = [threading.Thread(target=stop.wait) for _ in range(20)]",
        "[thread.start() for thread in threads]",
        "time.sleep(0.5)",
        "stop.set()",
        "print(threading.active_count() > 0)",
        "return Hold()",
        before="import threading, time",
    )
    assert list(run_in_box(sandbox, PRELUDE + body, prices=price_table(1)).logs) == ["True"]


@pytest.mark.parametrize("pause_seconds", [0.005, 0.0], ids=["slowly", "at-once"])
def test_threads_are_allowed_and_bounded(sandbox: Sandbox, pause_seconds: float) -> None:
    body = on_data(
        "threads = []",
        "try:",
        "    for _ in range(1000):",
        "        threads.append(threading.Thread(target=stop.wait)); threads[-1].start()",
        f"        time.sleep({pause_seconds})",
        "except RuntimeError: pass",
        "print(2 < len(threads) < 64)",
        "stop.set()",
        "[thread.join() for thread in threads if thread.ident]",
        "return Hold()",
        before="import threading, time\nstop = threading.Event()",
    )
    if not is_gvisor(sandbox):
        assert run_in_box(sandbox, PRELUDE + body, prices=price_table(1)).logs == ("True",)
        return
    # No limit of gVisor counts threads. The runner does, and ends a strategy with too many. If they start all at once,
    # gVisor's own process may reach the engine's limit first, which kills it.
    counted, own_end = "limit of 64 threads exceeded at 2014-01-01", "the box ended before it replied"
    (error,) = failure(sandbox, body).errors
    assert error == counted if pause_seconds else error in (counted, own_end)


def test_no_file_can_be_written(sandbox: Sandbox) -> None:
    body = on_data(
        "for path in ('/x', '/box/x', '/usr/x', '/proc/x', '/dev/x', '/etc/x', '/tmp/x', '/dev/shm/x', '/dev/null'):",
        "    try: open(path, 'w'); print('wrote', path)",
        "    except OSError: pass",
        "return Hold()",
    )
    assert logs(sandbox, body) == []


def test_the_environment_contains_nothing_from_the_host(sandbox: Sandbox) -> None:
    (line, *_) = logs(sandbox, on_data("print(sorted(os.environ))", "return Hold()", before="import os"))
    known = {"HOME", "HOSTNAME", "LANG", "LC_CTYPE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PATH", "PWD"}
    known |= {"JOBLIB_MULTIPROCESSING", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONPATH", "PYTHONUTF8"}
    # Variables of the image itself: its version and its interpreter's origin, nothing from this host.
    known |= {"PYTHON_VERSION", "PYTHON_SHA256", "GPG_KEY", "PYTHON_PIP_VERSION"}
    assert set(eval(line)) <= known  # noqa: S307 - the list that our own test strategy printed


def test_the_box_has_an_unprivileged_user_and_no_capabilities(sandbox: Sandbox) -> None:
    lines = logs(
        sandbox,
        on_data(
            "print(os.getuid(), os.getgid())",
            "status = dict(line.split()[:2] for line in open('/proc/1/status') if len(line.split()) > 1)",
            "print([status[name] for name in ('CapEff:', 'CapPrm:', 'CapBnd:')])",
            "print([status.get(name) for name in ('NoNewPrivs:', 'Seccomp:')])",
            "return Hold()",
            before="import os",
        ),
    )
    assert lines[:3] == ["65534 65534", str(["0" * 16] * 3), str([None, "0"] if is_gvisor(sandbox) else ["1", "2"])]


SEARCH = '''
import ctypes, gc, os, struct, sys

def search(price):
    """Search everywhere that this process can look for the float64 bytes of one price."""
    needle = struct.pack("<d", price)
    found = []
    gc.unfreeze()
    for thing in gc.get_objects():
        values = list(thing.values()) if isinstance(thing, dict) else thing
        try:
            if isinstance(values, (list, tuple, set, frozenset)) and price in values:
                found.append(("object", type(thing).__name__))
            is_list = isinstance(values, (list, tuple))
            if is_list and any(type(value) is bytes and value is not needle and needle in value for value in values):
                found.append(("frame in a", type(thing).__name__))
        except Exception:
            pass
    frame = sys._getframe()
    while frame is not None:
        for name, value in frame.f_locals.items():
            if name not in ("price", "needle", "tomorrow") and value == price:
                found.append(("frame", frame.f_code.co_name, name))
        frame = frame.f_back
    for pid in ("self", str(os.getppid())):
        try:
            for line in open(f"/proc/{pid}/maps"):
                start, end = (int(x, 16) for x in line.split()[0].split("-"))
                if "r" not in line.split()[1]: continue
                with open(f"/proc/{pid}/mem", "rb", 0) as memory:
                    memory.seek(start)
                    data = memory.read(end - start)
                    if pid != "self" and needle in data: found.append(("memory", pid))
        except (OSError, ValueError, OverflowError):
            pass
    for descriptor in range(256):
        try:
            os.set_blocking(descriptor, False)
            if needle in os.pread(descriptor, 1 << 20, 0): found.append(("descriptor", descriptor))
        except OSError:
            pass
        for pid in (os.getppid(),):
            try:
                with open(f"/proc/{pid}/fd/{descriptor}", "rb", 0) as file:
                    found.append(("opened a descriptor of the runner", descriptor))
            except OSError:
                pass
    for descriptor in range(3, 256):
        try: os.set_blocking(descriptor, True)
        except OSError: pass
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, os.getppid(), 0, 0) == 0: found.append(("ptrace",))
    local, remote = (ctypes.c_char * 64)(), ctypes.c_size_t(0x400000)
    class Vector(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
    here, there = Vector(ctypes.addressof(local), 64), Vector(0x400000, 64)
    if libc.process_vm_readv(os.getppid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
        found.append(("process_vm_readv",))
    return found
'''


ASK = """
import pandas
class Base(Base):
    kept = []
    def ask(self, data):
        self.kept.append(data)
        for slice in self.kept[-3:]:
            for symbol in self.universe:
                print(end="".join(str(slice.history(symbol, 99, field))[:0] for field in ("open", "close", "bar")))
                slice.frame(symbol, 99)
        data.time, data.date
"""


@pytest.mark.parametrize("what", ["price", "date"])
@pytest.mark.parametrize(
    ("asks", "begins"),
    [("pass", 0), ("self.ask(data)", 0), ("self.ask(data)", 20), ("self.ask(data)", 31), ("self.ask(data)", 50)],
    ids=["silently", "by asking", "after a warm-up", "on its last day", "in the middle of it"],
)
def test_a_strategy_that_searches_for_tomorrow_finds_nothing(
    sandbox: Sandbox, asks: str, what: str, begins: int
) -> None:
    prices = price_table(60)
    seconds = prices.dates[31].astype("datetime64[s]").astype(float)
    # The number is passed as text in two halves, so that the search does not find its own argument.
    tomorrow = float(prices.close[31, 0] if what == "price" else seconds)
    whole, part = repr(tomorrow).split(".")
    body = (
        SEARCH
        + ASK
        + on_data(
            "self.n = getattr(self, 'n', 0) + 1",
            asks,
            "if self.n == 31:",
            f"    print('found', search(float('{whole}' + '.' + '{part}')))",
            "return Hold()",
        )
    )
    dates = [day.item() for day in (prices.dates[0], prices.dates[begins - 1], prices.dates[begins], prices.dates[-1])]
    warm_up = prices.window(*dates[:2]) if begins else None
    reply = run_in_box(sandbox, PRELUDE + body, prices=prices.window(*dates[2:]), warm_up=warm_up)
    (said,) = reply.logs
    if is_gvisor(sandbox):
        # gVisor lets a process of the same user open the runner's pipes by their names in /proc. By then the pipe
        # that carried the prices is closed, and the others never carry a price.
        said = re.sub(r"\('opened a descriptor of the runner', \d+\),? ?", "", said)
    assert said.replace(", ]", "]") == "found []"


def test_the_search_finds_a_date_and_a_price_that_were_sent_although_only_another_field_was_read(
    sandbox: Sandbox,
) -> None:
    body = SEARCH + on_data(
        "data.history('BBB', 9, 'open')",
        "self.seen = getattr(self, 'seen', []) + [(data.time.timestamp(), data.high('AAA') / 2)]",
        "if len(self.seen) == 31: print([bool(search(n)) for n in (self.seen[10][0], 2 * self.seen[10][1])])",
        "return Hold()",
    )
    assert list(run_in_box(sandbox, PRELUDE + body).logs) == ["[True, True]"]


def test_the_search_finds_a_price_that_was_shown(sandbox: Sandbox) -> None:
    prices = price_table(60)
    body = SEARCH + on_data(
        "self.seen = getattr(self, 'seen', []) + [data.close('AAA')]",
        "if len(self.seen) == 31: print('found', bool(search(self.seen[10])))",
        "return Hold()",
    )
    assert list(run_in_box(sandbox, PRELUDE + body, prices=prices).logs) == ["found True"]


@pytest.mark.parametrize("where", ["before", "within"])
def test_random_numbers_depend_only_on_the_seed(sandbox: Sandbox, where: str) -> None:
    """Where NumPy is imported only when on_data is called, it is seeded before all the same."""
    body = on_data(
        "import numpy as np" if where == "within" else "pass",
        "g = np.random.default_rng()",
        "print(random.random(), random.Random().random(), np.random.rand(), g.random(), hash('x'))",
        "return Hold()",
        before="import random" + ("\nimport numpy as np" if where == "before" else ""),
    )
    first, again, other = (
        list(run_in_box(sandbox, PRELUDE + body, prices=price_table(3), seed=seed).logs) for seed in (1, 1, 2)
    )
    assert first == again
    assert first[0].split()[:4] != other[0].split()[:4]


def test_a_strategy_that_does_not_name_numpy_runs_without_it(sandbox: Sandbox) -> None:
    body = on_data("print('num' 'py' in sys.modules)", "return Hold()", before="import sys")
    assert list(run_in_box(sandbox, PRELUDE + body, prices=price_table(1)).logs) == ["False"]


def test_parameters_are_read_as_a_module(sandbox: Sandbox) -> None:
    body = on_data(
        "print(config.lookback, config['lookback'], config.get('absent', 3), 'lookback' in config)",
        "return Hold()",
        before="import config",
    )
    reply = run_in_box(sandbox, PRELUDE + body, prices=price_table(1), parameters={"lookback": 21})
    assert list(reply.logs) == ["21 21 3 True"]


def declaring(declared: str) -> str:
    """A strategy that computes what it declares, so that only the box can tell, and prints its parameters."""
    told = "print(config.fast, config['slow'], config.get('fast'), self.parameters)"
    before = "import config\nif 'fast' in config: print('given', config.fast)"
    body = on_data(told, "return Hold()", before=before)
    return PRELUDE + body.replace("    def on_data", f"    declared_parameters = {declared}\n    def on_data")


def test_declared_parameters_have_defaults_and_the_request_replaces_them(sandbox: Sandbox) -> None:
    source, prices = declaring("dict(fast=10, slow=5 * 6)"), price_table(1)
    default = run_in_box(sandbox, source, prices=prices).logs
    assert list(default) == ["10 30 10 {'fast': 10, 'slow': 30}"]
    replaced = run_in_box(sandbox, source, prices=prices, parameters={"fast": 7}).logs
    assert list(replaced) == ["given 7", "7 30 7 {'fast': 7, 'slow': 30}"]


def test_a_parameter_that_is_not_declared_ends_the_run_and_names_those_that_are(sandbox: Sandbox) -> None:
    with pytest.raises(StrategyFailed) as caught:
        run_in_box(sandbox, declaring("dict(fast=10, slow=5 * 6)"), parameters={"fst": 7})
    assert caught.value.errors == ["BadStrategy: the strategy has no parameter 'fst': it declares fast, slow"]


@pytest.mark.docker
def test_the_image_contains_no_program_but_python() -> None:
    """gVisor uses the same image; bubblewrap binds the host's whole library folder, see docs/security.md."""
    body = on_data(
        "for folder, _, names in os.walk('/'):",
        "    if folder.startswith(('/proc', '/sys', '/dev')): continue",
        "    for name in names:",
        "        path = os.path.join(folder, name)",
        "        status = os.lstat(path)",
        "        if stat.S_ISREG(status.st_mode) and status.st_mode & 0o6000: print('setuid', path)",
        "        if not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o111 or '.so' in name: continue",
        "        with open(path, 'rb') as file:",
        "            if file.read(4) == b'\\x7fELF': print(path)",
        "return Hold()",
        before="import os, stat",
    )
    sandbox = open_sandbox("docker")
    programs = run_in_box(sandbox, PRELUDE + body, prices=price_table(1)).logs
    sandbox.close()
    assert programs
    assert all(os.path.basename(path).startswith("python3") for path in programs)  # noqa: PTH119 - of the box
