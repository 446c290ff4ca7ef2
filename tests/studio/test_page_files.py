"""The files of the page: everything it loads is listed up front, and no file is unused."""

import re

import pytest
from pydantic import BaseModel

from src.api.pages.studio import STUDIO_FOLDER
from src.models import problems, response, run, sections, statistics, validation

IMPORT = re.compile(r"""^(?:import|export)\s[^;]*?from\s+["'](\.[^"']+)["']""", re.MULTILINE)
PRELOAD = re.compile(r'<link rel="modulepreload" href="studio/([^"]+)">')
INTERFACE = re.compile(r"^export interface (\w+)(?: extends \w+)? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^  (\w+)\??:", re.MULTILINE)
MODELS = {
    name: model
    for module in (response, run, sections, problems, statistics, validation)
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, BaseModel)
}
SHAPES = {
    name: FIELD.findall(body)
    for name, body in INTERFACE.findall((STUDIO_FOLDER / "types.d.ts").read_text("utf-8"))
    if name in MODELS
}
OWN_FILES = sorted(
    path.relative_to(STUDIO_FOLDER).as_posix()
    for path in STUDIO_FOLDER.rglob("*.js")
    if "vendor" not in path.relative_to(STUDIO_FOLDER).parts
)


def modules_of(entry: str) -> set[str]:
    """The entry, and all that it imports, by path below the page's folder."""
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name.startswith("vendor/"):
            continue
        folder = (STUDIO_FOLDER / name).parent
        imports = IMPORT.findall((STUDIO_FOLDER / name).read_text("utf-8"))
        waiting += [(folder / path).resolve().relative_to(STUDIO_FOLDER.resolve()).as_posix() for path in imports]
    return found


def test_the_page_names_every_module_at_once_so_that_none_waits_for_another():
    page = (STUDIO_FOLDER / "index.html").read_text("utf-8")
    wanted = modules_of("start.js") - {"start.js"}
    missing = "".join(f'\n<link rel="modulepreload" href="studio/{name}">' for name in sorted(wanted))
    assert sorted(PRELOAD.findall(page)) == sorted(wanted), f"index.html must have:{missing}"


def test_every_module_is_used():
    used = modules_of("start.js") | modules_of("service/result-worker.js")
    assert [name for name in OWN_FILES if name not in used] == []


def test_no_module_knows_another_origin():
    texts = {name: (STUDIO_FOLDER / name).read_text("utf-8") for name in OWN_FILES}
    assert [name for name, text in texts.items() if re.search(r"https?://", text)] == []


@pytest.mark.parametrize("shape", SHAPES)
def test_the_page_reads_no_field_that_the_api_does_not_have(shape):
    assert set(SHAPES[shape]) <= set(MODELS[shape].model_fields), shape


def test_the_shapes_that_the_page_reads_are_named_as_in_the_api():
    assert {"RunSummary", "RunStatistics", "BacktestResponse", "ViolationAnswer", "ValidationAnswer"} <= set(SHAPES)
