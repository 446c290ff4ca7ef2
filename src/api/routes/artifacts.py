"""The files of a finished run: listed, one by one, and all in one archive."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from src.api.dependencies import ServicesDep
from src.api.documentation import ARTIFACT_PROBLEMS
from src.api.file_answer import MEDIA_TYPES, attachment, file_answer
from src.api.json_answer import json_answer
from src.api.pieces import in_pieces
from src.api.run_keys import RunKeyDep
from src.models.artifacts import Manifest
from src.services.artifacts.errors import ArtifactNotFound
from src.services.artifacts.manifest import MANIFEST_NAME
from src.services.storage.records import RunKey

router = APIRouter(tags=["runs"])


async def _existing(key: RunKeyDep, services: ServicesDep) -> RunKey:
    """The run's address, once it is sure that there is one: what is said of a file tells nothing of strangers' runs."""
    return (await run_in_threadpool(services.archive.get, key)).key


ExistingRunDep = Annotated[RunKey, Depends(_existing)]

NO_SUCH_FILE = "No file of this run has that name; its artifacts list all of them."


@router.get(
    "/runs/{run_hash}/artifacts",
    operation_id="list_artifacts",
    summary="List a run's files",
    response_model=Manifest,
    response_description="The manifest: names, sizes, hashes, and the manifest of yours before it.",
    responses=ARTIFACT_PROBLEMS,
)
async def list_artifacts(key: ExistingRunDep, services: ServicesDep) -> Response:
    """The sealed manifest of a run that succeeded. Each names the hash of the one before it: a chain anyone can check,
    as `python -m src verify` does.
    """
    return json_answer(await run_in_threadpool(services.artifacts.manifest, key))


@router.get(
    "/runs/{run_hash}/artifacts/{name}",
    operation_id="get_artifact",
    summary="Fetch one file of a run",
    response_class=Response,
    response_description="The file's bytes; its ETag never changes.",
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        304: {"description": "What you have (If-None-Match) is what there is."},
        **ARTIFACT_PROBLEMS,
    },
)
async def get_artifact(
    key: ExistingRunDep,
    name: Annotated[str, Path(max_length=100, examples=["report.html"], description="As the manifest names it.")],
    request: Request,
    services: ServicesDep,
) -> Response:
    """A download; report.html is a page of its own that runs no script."""
    manifest = await run_in_threadpool(services.artifacts.manifest, key)
    # A name is looked up, never made into a path.
    sha256 = _hashes(manifest).get(name)
    if sha256 is None:
        raise ArtifactNotFound(NO_SUCH_FILE)
    path = await run_in_threadpool(services.artifacts.path, key, name)
    try:
        return await file_answer(request, path, sha256)
    except FileNotFoundError as error:
        raise ArtifactNotFound("This file was removed a moment ago.") from error


router.head("/runs/{run_hash}/artifacts/{name}", include_in_schema=False)(get_artifact)


@router.get(
    "/runs/{run_hash}/equity.csv",
    operation_id="get_equity",
    summary="Fetch a run's equity as CSV",
    response_class=Response,
    response_description="One row a day: date, open, high, low, close, benchmark, drawdown.",
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **ARTIFACT_PROBLEMS},
)
async def get_equity(key: ExistingRunDep, services: ServicesDep) -> Response:
    """The columns of `equity.parquet` for a spreadsheet, made when it is asked for: the manifest does not list it.

    Money is in account currency, drawdown a fraction; a day without a benchmark has an empty field.
    """
    content = await run_in_threadpool(services.artifacts.equity_csv, key)
    headers = {"Content-Disposition": attachment("equity.csv"), "Cache-Control": "private, no-cache"}
    return Response(content, headers=headers, media_type=MEDIA_TYPES[".csv"])


@router.get(
    "/runs/{run_hash}/bundle.zip",
    operation_id="get_bundle",
    summary="Fetch all files of a run",
    response_class=Response,
    response_description="All files of the run in one archive.",
    responses={
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
        **ARTIFACT_PROBLEMS,
    },
)
async def get_bundle(key: ExistingRunDep, services: ServicesDep) -> Response:
    """The manifest and everything that it lists, in a folder named after the run."""
    pieces = await run_in_threadpool(services.artifacts.bundle, key)
    headers = {"Content-Disposition": attachment(f"run-{key.run_hash[:12]}.zip")}
    return StreamingResponse(in_pieces(pieces), headers=headers, media_type="application/zip")


def _hashes(manifest: dict[str, Any]) -> dict[str, str]:
    """What is fetched by which name, and the hash that stands for it."""
    return {MANIFEST_NAME: manifest["manifest_hash"]} | {file["name"]: file["sha256"] for file in manifest["files"]}
