"""The policy's tables checked against the members of the installed packages."""

import importlib
import types
import warnings

import pytest

from src.execution.reading import policy
from src.execution.reading.analysis.members import member_problem

THIRD_PARTY = ("numpy", "pandas", "scipy", "sklearn", "talib")
NEWER_THAN_THE_BOX = {"binomialvariate", "kde", "kde_random", "override"}
DANGEROUS_ORIGINS = {
    *("os", "posix", "sys", "io", "_io", "subprocess", "importlib", "pickle", "_pickle", "ctypes", "_ctypes"),
    *("inspect", "shutil", "socket", "tempfile", "joblib", "urllib", "mmap", "threading", "multiprocessing"),
}

IMPORTABLE = [
    name
    for name in policy.ALLOWED_MODULES
    if name != policy.PARAMETERS_MODULE and not name.startswith(("pandas.options", policy.FRAMEWORK))
]
OPEN = [name for name in IMPORTABLE if name.startswith(THIRD_PARTY)]


def module(name: str) -> types.ModuleType:
    """The module of that name, which may be only another module's attribute (pandas.offsets)."""
    pytest.importorskip(name.partition(".")[0], reason="the box's packages are not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            parent, _, attribute = name.rpartition(".")
            found = getattr(importlib.import_module(parent), attribute)
            assert isinstance(found, types.ModuleType)
            return found


def members(name: str) -> dict[str, object]:
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        holder = module(name)
        for member in dir(holder):
            try:
                found[member] = getattr(holder, member)
            except (AttributeError, ImportError):
                continue
    return found


@pytest.mark.parametrize("name", IMPORTABLE)
def test_an_allowed_module_gives_access_only_to_allowed_modules(name: str) -> None:
    escapes = [
        member
        for member, value in members(name).items()
        if isinstance(value, types.ModuleType)
        and f"{name}.{member}" not in policy.ALLOWED_MODULES
        and member_problem(name, member) is None
    ]
    assert escapes == []


@pytest.mark.parametrize("name", OPEN)
def test_an_open_module_has_no_function_that_touches_the_machine(name: str) -> None:
    reachable = [
        member
        for member, value in members(name).items()
        if str(getattr(value, "__module__", "")).partition(".")[0] in DANGEROUS_ORIGINS
        and member_problem(name, member) is None
    ]
    assert reachable == []


@pytest.mark.parametrize("name", IMPORTABLE)
def test_every_listed_name_exists(name: str) -> None:
    """With a misspelt entry, the correct spelling would be rejected."""
    listed = policy.ALLOWED_MODULES[name] or frozenset()
    if name == "sklearn.experimental":
        listed = frozenset()  # its names are modules, which exist only once imported
    absent = {member for member in listed if not hasattr(module(name), member)}
    assert absent <= NEWER_THAN_THE_BOX


@pytest.mark.parametrize("name", IMPORTABLE)
def test_every_private_member_of_a_module_is_denied(name: str) -> None:
    private = [member for member in members(name) if member.startswith("_") and member != "__version__"]
    assert [member for member in private if member_problem(name, member) is None] == []


def test_most_public_names_of_the_scientific_packages_are_allowed() -> None:
    """The deny lists are short, but a typing mistake in one could deny half of NumPy."""
    for name, least in (("numpy", 440), ("pandas", 70), ("scipy.stats", 280), ("sklearn.linear_model", 40)):
        public = [member for member in members(name) if not member.startswith("_")]
        allowed = [member for member in public if member_problem(name, member) is None]
        assert len(allowed) >= least, name
