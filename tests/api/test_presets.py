"""Presets over HTTP, on real databases, and runs that are submitted with them."""

import json
from typing import Any

import pytest

from src.models.preset import PresetAnswer, PresetList
from src.services.library import presets
from tests.fakes.application import REQUEST, RUNS
from tests.fakes.backtests import FakeBacktests

PRESETS = "/api/v1/presets"
COSTS = {"name": "my costs", "configuration": {"commission": {"model": "rate", "rate": 0.001}, "slippage": 0.0005}}
WHOLE = {"name": "whole", "configuration": REQUEST | {"seed": 3, "name": "from the preset"}}
PYTHON = {"Content-Type": "text/x-python"}


@pytest.fixture
def backtests() -> FakeBacktests:
    return FakeBacktests()


@pytest.fixture
def client(connect, storage, backtests):
    return connect(backtests, storage=storage)


def kept(client, preset: dict[str, Any] = COSTS) -> str:
    """The preset_id of an existing preset."""
    return str(client.post(PRESETS, json=preset).json()["preset_id"])


def with_preset(client, preset_id: str, **options: Any):
    return client.post(RUNS, params={"preset_id": preset_id, **options.pop("params", {})}, **options)


def test_a_preset_is_named_by_its_content(client):
    first = client.post(PRESETS, json=COSTS)
    body = first.json()
    assert (first.status_code, first.headers["Location"]) == (201, f"{PRESETS}/{body['preset_id']}")
    assert (body["name"], body["configuration"]) == (COSTS["name"], COSTS["configuration"])
    PresetAnswer.model_validate(body)
    again = client.post(PRESETS, json=json.loads(json.dumps(COSTS).replace("0.0005", "5e-4")))
    assert (again.status_code, again.json()) == (200, body)
    assert client.get(f"{PRESETS}/{body['preset_id']}").json() == body


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"initial_capital": 1}, {"initial_capital": 1.0}),
        ({"seed": 1, "slippage": 0}, {"slippage": 0.0, "seed": 1.0}),
        ({"config_params": {"a": 1}}, {"parameters": {"a": 1.0}}),
        ({"start_date": "2015-01-01"}, {"start_date": "2015-01-01T09:30:00"}),
        (
            {"commission": {"model": "per_share", "amount": 1}},
            {"commission": {"model": "per_share", "amount": 1, "minimum": 0}},
        ),
        ({"benchmark": "spy"}, {"benchmark": "SPY"}),
    ],
)
def test_two_spellings_of_one_configuration_are_one_preset(client, one, other):
    assert kept(client, {"name": "n", "configuration": one}) == kept(client, {"name": "n", "configuration": other})


def test_another_name_or_configuration_is_another_preset(client):
    ids = {
        kept(client, COSTS),
        kept(client, COSTS | {"name": "other"}),
        kept(client, COSTS | {"configuration": {"seed": 1}}),
    }
    assert len(ids) == 3
    listed = client.get(PRESETS).json()
    PresetList.model_validate(listed)
    assert {preset["preset_id"] for preset in listed["presets"]} == ids


def test_one_preset_too_many_gets_an_error_that_says_what_to_do(client, monkeypatch):
    monkeypatch.setattr(presets, "MAX_PRESETS", 2)
    made = [client.post(PRESETS, json={"name": str(n), "configuration": {"seed": n}}) for n in range(3)]
    assert [answer.status_code for answer in made] == [201, 201, 409]
    assert made[2].json() == {"detail": "You have 2 presets, which is the limit: delete one first."}
    assert len(client.get(PRESETS).json()["presets"]) == 2


def test_a_preset_can_be_deleted(client):
    preset_id = kept(client)
    assert client.delete(f"{PRESETS}/{preset_id}").status_code == 204
    for answer in (client.get(f"{PRESETS}/{preset_id}"), client.delete(f"{PRESETS}/{preset_id}")):
        assert (answer.status_code, answer.json()) == (404, {"detail": "There is no such preset."})
    assert client.get(PRESETS).json() == {"presets": []}


@pytest.mark.parametrize("preset_id", ["x", "0" * 64, "%00", "a" * 200])
def test_an_unknown_preset_is_404(client, preset_id):
    assert client.get(f"{PRESETS}/{preset_id}").status_code == 404


@pytest.mark.parametrize(
    ("preset", "place", "says"),
    [
        ({"configuration": {"seed": 1}}, ["body", "name"], "required"),
        ({"name": "", "configuration": {"seed": 1}}, ["body", "name"], "at least 1"),
        ({"name": "x" * 201, "configuration": {"seed": 1}}, ["body", "name"], "at most 200"),
        ({"name": "n"}, ["body", "configuration"], "required"),
        ({"name": "n", "configuration": {}}, ["body", "configuration"], "At least one field"),
        ({"name": "n", "configuration": []}, ["body", "configuration"], "dictionary"),
        ({"name": "n", "configuration": {"comission": 1}}, ["body", "configuration"], "did you mean 'commission'?"),
        ({"name": "n", "configuration": {"seed": -1}}, ["body", "configuration", "seed"], "greater than or equal"),
        (
            {"name": "n", "configuration": {"commission": {"model": "?"}}},
            ["body", "configuration", "commission"],
            "whose 'model'",
        ),
        (
            {"name": "n", "configuration": {"start_date": "2020-01-01", "end_date": "2019-01-01"}},
            ["body", "configuration", "end_date"],
            "after start_date",
        ),
    ],
)
def test_an_invalid_preset_gets_an_error_with_its_place(client, preset, place, says):
    answer = client.post(PRESETS, json=preset)
    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert problem["loc"] == place
    assert says in problem["msg"]


def test_a_run_takes_omitted_fields_from_the_preset(client, backtests):
    answer = with_preset(client, kept(client), json=REQUEST | {"slippage": 0.001})
    assert answer.status_code == 201
    request = backtests.requests[0]
    assert (request.slippage, request.commission.rate) == (0.001, 0.001)
    plain = client.post(RUNS, json=REQUEST | COSTS["configuration"] | {"slippage": 0.001})
    assert plain.json()["run_hash"] == answer.json()["run_hash"]


def test_a_field_is_replaced_as_a_whole(client, backtests):
    preset_id = kept(client, {"name": "n", "configuration": {"parameters": {"a": 1, "b": 2}}})
    for sent in ({"parameters": {"a": 3}}, {"config_params": {"a": 3}}):
        assert with_preset(client, preset_id, json=REQUEST | sent).status_code in (200, 201)
        assert backtests.requests[-1].parameters == {"a": 3}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"json": {}},
        {"content": b""},
        {"content": b"", "headers": {"Content-Type": "application/json"}},
        {"content": b"", "headers": PYTHON},
    ],
)
def test_a_preset_may_contain_every_field(client, backtests, options):
    answer = with_preset(client, kept(client, WHOLE), **options)
    assert answer.status_code == 201, answer.text
    request = backtests.requests[0]
    assert (request.strategy_code, request.seed, request.name) == ("class S: pass", 3, "from the preset")


def test_a_posted_source_and_its_query_override_the_preset(client, backtests):
    preset_id = kept(client, WHOLE)
    answer = with_preset(client, preset_id, params={"seed": "5"}, content=b"class T: pass", headers=PYTHON)
    assert answer.status_code == 201, answer.text
    request = backtests.requests[0]
    assert (request.strategy_code, request.seed) == ("class T: pass", 5)
    assert request.unknown_fields_warnings() == []


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"end_date": "2014-01-01"}, ["body", "end_date"]),
        ({"seed": "one"}, ["body", "seed"]),
        ([], ["body"]),
        ({"parameters": {}, "config_params": {}}, ["body"]),
    ],
)
def test_preset_and_body_are_validated_together_with_the_usual_places(client, sent, place):
    answer = with_preset(client, kept(client, WHOLE), json=sent)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, place)


def test_without_a_preset_an_empty_body_stays_wrong(client):
    assert client.post(RUNS, json={}).status_code == 422
    assert client.post(RUNS).status_code == 422


@pytest.mark.parametrize(
    ("preset_id", "status"), [("0" * 64, 404), ("x", 422), ("", 422), ("A" * 64, 422), ("\x00" * 64, 422)]
)
def test_a_missing_preset_is_reported(client, preset_id, status):
    answer = with_preset(client, preset_id, json=REQUEST)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["detail"][0]["loc"] == ["query", "preset_id"]


def test_invalid_json_is_refused_with_a_preset_too(client):
    answer = with_preset(
        client, kept(client), content=b'{"a": 1, "a": 2}', headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "json_duplicate")


def test_a_body_without_a_content_type_is_not_read(client):
    request = client.build_request("POST", RUNS, params={"preset_id": kept(client, WHOLE)}, content=b'{"seed": 1}')
    assert "content-type" not in request.headers
    answer = client.send(request)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["header", "Content-Type"])


def test_an_idempotency_key_stands_for_the_preset_too(client):
    one, other = kept(client), kept(client, {"name": "n", "configuration": {"seed": 9}})
    headers = {"Idempotency-Key": "k"}
    assert with_preset(client, one, json=REQUEST, headers=headers).status_code == 201
    assert with_preset(client, one, json=REQUEST, headers=headers).status_code == 200
    assert with_preset(client, other, json=REQUEST, headers=headers).status_code == 422


def test_older_paths_answer_the_same(client):
    answer = client.post("/presets", json=COSTS)
    preset_id = answer.json()["preset_id"]
    assert answer.headers["Location"] == f"{PRESETS}/{preset_id}"
    assert client.get(f"/presets/{preset_id}").json() == client.get(f"{PRESETS}/{preset_id}").json()
    assert client.get("/presets").json() == client.get(PRESETS).json()
    assert client.delete(f"/presets/{preset_id}").status_code == 204


def test_hostile_text_in_a_name_is_kept_as_it_is(client):
    name = "\x00<script>'; DROP TABLE presets; --%_\u202e"
    preset_id = kept(client, {"name": name, "configuration": {"name": name, "parameters": {name: name}}})
    assert client.get(f"{PRESETS}/{preset_id}").json()["name"] == name
    body = json.dumps({"name": "half \ud800", "configuration": {"seed": 1}})
    assert client.post(PRESETS, content=body, headers={"Content-Type": "application/json"}).status_code == 422
