"""The studio without scripts: a form that redirects to the run's report."""

import json
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from src.api.http.dependencies import ServicesDep
from src.api.http.errors import error_response
from src.api.http.owners import OwnerDep, owner_of
from src.api.http.paths import mounted
from src.api.pages.plain_form import FORM_POLICY, plain_form
from src.api.requests.examples import REQUEST_EXAMPLES
from src.api.requests.json_body import json_or_text
from src.api.responses.run_response import finished_run
from src.app.services import Services
from src.errors import BacktesterError
from src.models.request import BacktestRequest
from src.services.storage.records.runs import RunFilter

router = APIRouter(include_in_schema=False)

LATEST_RUNS = 20
_TEXT_FIELDS = frozenset({"strategy_code", "name", "start_date", "end_date", "benchmark"})


@router.get("/plain")
async def plain(services: ServicesDep, owner: OwnerDep) -> Response:
    """The form, with an example in it."""
    return await _form(services, owner, _as_text(REQUEST_EXAMPLES["sma_trend"]["value"]))


@router.post("/plain")
async def post_plain(request: Request, services: ServicesDep) -> Response:
    """Runs the posted form and redirects to the report, or shows the form again with its errors."""
    values = await _posted(request)
    try:
        finished = await finished_run(request, services, _request_of(values))
    except ValidationError as error:
        problems = [f"{_place(problem['loc'])}: {problem['msg']}" for problem in error.errors()]
        return await _form(services, owner_of(request), values, problems, status=422)
    except BacktesterError as error:
        refusal = error_response(error)
        if refusal is None:
            raise
        problems = _sentences(json.loads(bytes(refusal.body))["detail"])
        return await _form(services, owner_of(request), values, problems, status=refusal.status_code)
    report = f"/api/v1/runs/{finished.key.run_hash}/artifacts/report.html"
    return RedirectResponse(mounted(request, report), status_code=303)


def _as_text(request: Any) -> dict[str, str]:
    shown = {name: value for name, value in request.items() if value is not None}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in shown.items()}


async def _form(
    services: Services, owner: str, values: dict[str, str], problems: list[str] | None = None, status: int = 200
) -> Response:
    page = await run_in_threadpool(services.run_queries.page, owner, RunFilter(), limit=LATEST_RUNS)
    html = plain_form(values, page.runs, problems or [])
    # With our usual policy, no-referrer, the form would be sent with the origin "null", as any other site can do.
    return HTMLResponse(
        html, status, headers={"Content-Security-Policy": FORM_POLICY, "Referrer-Policy": "same-origin"}
    )


async def _posted(request: Request) -> dict[str, str]:
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise HTTPException(422, "This is not the form of this page.") from error
    # Browsers end each line of a form with CR LF.
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def _request_of(values: dict[str, str]) -> BacktestRequest:
    """The form as a request; an empty input takes its default, except that an empty benchmark means none.

    Raises:
        ValidationError: it is not a valid request.
    """
    fields: dict[str, Any] = {name: _value(name, text) for name, text in values.items() if text.strip()}
    if not values.get("benchmark", "").strip():
        fields["benchmark"] = None
    return BacktestRequest.model_validate(fields)


def _value(name: str, text: str) -> Any:
    """The JSON value of the text; text that is not JSON stays text, and its field reports the error."""
    return text if name in _TEXT_FIELDS else json_or_text(text)


def _place(place: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in place) or "form"


def _sentences(detail: Any) -> list[str]:
    """The sentences of a refusal of any shape."""
    if isinstance(detail, str):
        return [detail]
    kinds = ("analysis_errors", "execution_errors", "data_errors")
    return [str(sentence) for kind in kinds for sentence in detail.get(kind, [])]
