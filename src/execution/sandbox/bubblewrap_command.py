"""What a bubblewrap box is made of: the bwrap command line, and the parts of the host's Python that it binds."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from src.errors import SandboxUnavailable
from src.execution.sandbox.base import BOX_COMMAND, BOX_SOURCES, BOX_USER_ID, TMP_BYTES

INTERPRETER_SECONDS = 20.0
"""How long the sandbox's interpreter may take to name its parts."""

_HIDDEN = ("keys", "key-users", "timer_list", "sched_debug", "kcore", "kallsyms", "slabinfo", "latency_stats")
"""Files of /proc that describe the whole machine. Container engines hide them too."""

_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


@dataclass(frozen=True)
class BoxPython:
    """The interpreter that runs inside a box, and the paths of its parts on the host.

    Attributes:
        executable: the base interpreter, not a virtual environment's link to it.
        standard_library: the folder of its standard library.
        site_packages: the packages that user code may import.
        libraries: folders of the shared libraries that the interpreter and the packages load.
    """

    executable: Path
    standard_library: Path
    site_packages: Path
    libraries: tuple[Path, ...]


def box_command(python: Path, source_folder: Path) -> list[str]:
    """The bwrap command line, without the seccomp filter.

    Raises:
        SandboxUnavailable: bubblewrap, the interpreter or its packages are missing.
    """
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        raise SandboxUnavailable("bubblewrap is not installed (Debian, Ubuntu: apt-get install bubblewrap)")
    box_python = find_box_python(python)
    _compile_sources(python, source_folder)
    return [bubblewrap, *_namespaces(), *_root(box_python, source_folder), *_program(box_python)]


def _namespaces() -> Iterator[str]:
    yield from ("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session")
    yield from ("--as-pid-1", "--hostname", "sandbox", "--cap-drop", "ALL")
    yield from ("--uid", str(BOX_USER_ID), "--gid", str(BOX_USER_ID))


def _root(python: BoxPython, source_folder: Path) -> Iterator[str]:
    for folder in (*python.libraries, python.standard_library):
        yield from ("--ro-bind", str(folder), str(folder))
    # The host interpreter's packages are not the sandbox's: hide those inside the library folder.
    for name in ("site-packages", "dist-packages"):
        if (python.standard_library / name).is_dir():
            yield from ("--tmpfs", str(python.standard_library / name))
    yield from ("--ro-bind", str(python.executable), str(python.executable))
    for link in ("/lib", "/lib64"):
        if Path(link).is_symlink():
            yield from ("--symlink", str(Path(link).readlink()), link)
        elif Path(link).is_dir():
            yield from ("--ro-bind", link, link)
    yield from ("--ro-bind-try", "/usr/share/zoneinfo", "/usr/share/zoneinfo")
    yield from ("--ro-bind", str(python.site_packages), "/box/site-packages")
    for name in BOX_SOURCES:
        yield from ("--ro-bind", str(source_folder / name), f"/box/{name}")
    yield from ("--proc", "/proc")
    for name in _HIDDEN:
        if Path("/proc", name).exists():
            yield from ("--ro-bind", "/dev/null", f"/proc/{name}")
    for device in _DEVICES:
        yield from ("--dev-bind", device, device)
    yield from ("--size", str(TMP_BYTES), "--tmpfs", "/tmp")  # noqa: S108 - the box's own
    yield from ("--remount-ro", "/", "--chdir", "/")


def _program(python: BoxPython) -> Iterator[str]:
    yield from ("--setenv", "PYTHONPATH", "/box/site-packages")
    yield from ("--", str(python.executable), *BOX_COMMAND)


def find_box_python(python: Path) -> BoxPython:
    """Locate the parts of the sandbox's interpreter.

    Args:
        python: interpreter of a virtual environment.

    Raises:
        SandboxUnavailable: it does not exist or cannot be run.
    """
    question = (
        "import os, sys, sysconfig, hqg_algorithms; print(os.path.realpath(sys._base_executable));"
        " print(sysconfig.get_path('stdlib')); print(sysconfig.get_path('purelib'))"
    )
    try:
        answer = subprocess.run(  # noqa: S603 - our own interpreter
            [str(python), "-s", "-P", "-c", question],
            capture_output=True,
            text=True,
            check=True,
            timeout=INTERPRETER_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxUnavailable(
            f"the sandbox's interpreter {python.name} or its packages are missing: run `make setup`"
        ) from error
    executable, standard_library, site_packages = (Path(line) for line in answer.stdout.splitlines()[:3])
    return BoxPython(executable, standard_library, site_packages, tuple(_library_folders(executable)))


def _compile_sources(python: Path, source_folder: Path) -> None:
    # A box cannot write bytecode: without this each one would compile the runner again, for 40 ms of processor.
    # A folder that this user may not write to costs that much, and nothing else.
    sources = [str(source_folder / name) for name in BOX_SOURCES]
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(  # noqa: S603 - our own interpreter and sources
            [str(python), "-s", "-P", "-m", "compileall", "-qq", *sources], check=False, timeout=INTERPRETER_SECONDS
        )


def _library_folders(executable: Path) -> Iterator[Path]:
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    for folder in (Path("/usr/lib") / multiarch, Path("/usr/lib64"), Path("/lib") / multiarch):
        if folder.is_dir() and not folder.parent.is_symlink():
            yield folder
    # An interpreter built as a shared library keeps the library next to its bin folder.
    own = executable.parent.parent / "lib"
    if sys.prefix != "/usr" and own != Path("/usr/lib"):
        yield from sorted(own.glob("libpython3*.so*"))
