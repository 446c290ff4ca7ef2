"""The files of a finished run: listed, one by one, and all in one archive."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from src.api.http.dependencies import ServicesDep
from src.api.http.json_response import json_response
from src.api.requests.run_keys import RunKeyDep
from src.api.responses.file_response import attachment, file_response, rendered_response
from src.api.responses.pieces import in_pieces
from src.api.responses.problems import ARTIFACT_PROBLEMS
from src.models.artifacts import Manifest
from src.services.results.chain.manifest import MANIFEST_NAME
from src.services.results.errors import ArtifactNotFound
from src.services.storage.records.runs import RunKey

router = APIRouter(tags=["runs"])


async def _existing(key: RunKeyDep, services: ServicesDep) -> RunKey:
    """The key of an existing run, so that answers about files reveal nothing about other owners' runs."""
    return (await run_in_threadpool(services.run_queries.get, key)).key


ExistingRunDep = Annotated[RunKey, Depends(_existing)]


@router.get(
    "/runs/{run_hash}/artifacts",
    operation_id="list_artifacts",
    summary="List a run's files",
    response_model=Manifest,
    response_description="The manifest: names, sizes, hashes, and the hash of your previous manifest.",
    responses=ARTIFACT_PROBLEMS,
)
async def list_artifacts(key: ExistingRunDep, services: ServicesDep) -> Response:
    """The sealed manifest of a run that succeeded. Each manifest names the hash of the previous one; anyone can check
    this chain, as `python -m src verify` does.
    """
    return json_response(await run_in_threadpool(services.artifacts.manifest, key))


@router.get(
    "/runs/{run_hash}/artifacts/{name}",
    operation_id="get_artifact",
    summary="Download one file of a run",
    response_class=Response,
    response_description="The file's bytes; its ETag changes only with them.",
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        304: {"description": "Your copy (If-None-Match) is current."},
        **ARTIFACT_PROBLEMS,
    },
)
async def get_artifact(
    key: ExistingRunDep,
    name: Annotated[str, Path(max_length=100, examples=["report.html"], description="A sealed or a rendered file.")],
    request: Request,
    services: ServicesDep,
) -> Response:
    """A download; report.html opens as a page without scripts. The manifest lists the sealed files; result.json,
    orders.csv, orders.parquet, trades.csv, trades.parquet, equity.csv, equity.parquet and report.html are made when
    they are asked for.
    """
    manifest = await run_in_threadpool(services.artifacts.manifest, key)
    # A name is looked up, never made into a path.
    sha256 = _hashes(manifest).get(name)
    if sha256 is None:
        return await rendered_response(request, await run_in_threadpool(services.artifacts.rendered, key, name), name)
    path = await run_in_threadpool(services.artifacts.path, key, name)
    try:
        return await file_response(request, path, sha256)
    except FileNotFoundError as error:
        raise ArtifactNotFound("This file has just been removed.") from error


router.head("/runs/{run_hash}/artifacts/{name}", include_in_schema=False)(get_artifact)


@router.get(
    "/runs/{run_hash}/equity.csv",
    operation_id="get_equity",
    summary="Fetch a run's equity as CSV",
    response_class=Response,
    response_description="One row a day: date, open, high, low, close, benchmark, drawdown.",
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **ARTIFACT_PROBLEMS},
)
async def get_equity(key: ExistingRunDep, request: Request, services: ServicesDep) -> Response:
    """The columns of `equity.parquet` for a spreadsheet; also `artifacts/equity.csv`.

    Money is in account currency, drawdown a fraction; a day without a benchmark has an empty field.
    """
    return await rendered_response(
        request, await run_in_threadpool(services.artifacts.rendered, key, "equity.csv"), "equity.csv"
    )


@router.get(
    "/runs/{run_hash}/bundle.zip",
    operation_id="get_bundle",
    summary="Download the sealed files of a run",
    response_class=Response,
    response_description="The sealed files of the run in one archive.",
    responses={
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
        **ARTIFACT_PROBLEMS,
    },
)
async def get_bundle(key: ExistingRunDep, services: ServicesDep) -> Response:
    """The manifest and all files it lists, in a folder named after the run."""
    pieces = await run_in_threadpool(services.artifacts.bundle, key)
    headers = {"Content-Disposition": attachment(f"run-{key.run_hash[:12]}.zip")}
    return StreamingResponse(in_pieces(pieces), headers=headers, media_type="application/zip")


def _hashes(manifest: dict[str, Any]) -> dict[str, str]:
    """Names that can be downloaded, and the hash of each."""
    return {MANIFEST_NAME: manifest["manifest_hash"]} | {file["name"]: file["sha256"] for file in manifest["files"]}
