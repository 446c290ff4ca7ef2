import openapi_spec_validator
import pytest

from hqg_backtester.version import __version__
from src.api.http.access import is_open
from src.api.routes.backtest import router
from src.api.server import SUMMARY
from src.models.request import BacktestRequest
from tests.fakes.application import BACKTEST, make_app
from tests.fakes.backtests import FakeBacktests


@pytest.fixture(scope="module")
def document() -> dict:
    """The OpenAPI document."""
    return make_app(FakeBacktests()).openapi()


def test_the_documentation_pages_exist(connect):
    client = connect(FakeBacktests())
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 200


def test_every_status_of_a_backtest_is_declared_with_its_shape(document):
    responses = document["paths"][BACKTEST]["post"]["responses"]
    shapes = {
        status: response["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        for status, response in responses.items()
    }
    assert shapes == {
        "200": "BacktestResponse",
        "202": "JobAccepted",
        "400": "BadRequest",
        "401": "Refusal",
        "403": "Refusal",
        "404": "Refusal",
        "409": "Refusal",
        "413": "Refusal",
        "422": "MalformedRequest",
        "429": "Refusal",
        "500": "OwnFault",
        "502": "Refusal",
        "503": "Refusal",
        "504": "Refusal",
    }


def test_every_field_of_every_shape_says_what_it_is(document):
    silent = [
        f"{shape}.{name}"
        for shape, schema in document["components"]["schemas"].items()
        for name, field in schema.get("properties", {}).items()
        if not field.get("description") and "$ref" not in field and name not in ("model", "detail")
    ]
    # A step's own name says which milliseconds they are.
    assert [name for name in silent if not name.startswith("TimingsMs.")] == []


def test_the_examples_are_requests_that_would_run(document):
    content = document["paths"][BACKTEST]["post"]["requestBody"]["content"]["application/json"]
    assert len(content["examples"]) >= 2
    for example in content["examples"].values():
        request = BacktestRequest.model_validate(example["value"])
        assert request.unknown_fields_warnings() == []


def test_summary_and_version_are_the_project_s(document):
    assert (document["info"]["summary"], document["info"]["version"]) == (SUMMARY, __version__)


def test_routes_of_the_api_are_below_their_version():
    assert [route.path for route in router.routes] == [BACKTEST]


def test_a_validator_of_openapi_finds_nothing_wrong(document):
    openapi_spec_validator.validate(document)


def test_every_protected_route_declares_what_the_access_check_answers(document):
    silent = [
        f"{method} {path} {status}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for status in ("401", "403", "429", "500", "503", "504")
        if not is_open(path) and status not in operation["responses"]
    ]
    assert silent == []


def test_every_operation_has_a_summary_a_description_and_a_unique_name(document):
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert all(operation.get("summary") and operation.get("description") for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_the_pages_ask_for_a_token_only_where_log_in_is_on(document):
    guarded = make_app(FakeBacktests(), supabase_jwt_secret="x" * 32).openapi()
    assert guarded["paths"][BACKTEST]["post"]["security"] == [{"HTTPBearer": []}, {"APIKeyCookie": []}]
    assert "security" not in document["paths"][BACKTEST]["post"]
