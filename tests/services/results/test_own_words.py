import json

from hypothesis import given
from hypothesis import strategies as st

from src.services.results import own_words
from src.services.results.own_words import name_in, with_name_and_warnings
from src.services.results.result import stored_result
from tests.fakes.backtests import real_shaped_answer

TRAP = ',"warnings":["old"],"provenance":{}}'
TEXTS = st.sampled_from(["", "old", "stays", TRAP, '"', "\\", '\\"', '{"name":"old"', "half \ud800 a pair"]) | st.text(
    max_size=8
)
VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("warnings"), inner, max_size=3),
    max_leaves=6,
)


def written(**changes):
    body = stored_result(real_shaped_answer() | changes)[1]
    assert body is not None
    return body


@given(
    names=st.tuples(st.none() | TEXTS, st.none() | TEXTS),
    warnings=st.lists(TEXTS, max_size=3),
    stored=st.lists(TEXTS, max_size=2),
    parameters=VALUES,
    logs=st.lists(TEXTS, max_size=3),
    data=st.lists(VALUES, max_size=2),
)
def test_only_name_and_warnings_change_for_any_other_contents(names, warnings, stored, parameters, logs, data):
    was, becomes = names
    answer = real_shaped_answer() | {"logs": logs, "warnings": [*stored, "stays"]}
    answer["parameters"] = {"name": was, "parameters": parameters}
    answer["provenance"] = {"data": data, "note": TRAP}
    said = with_name_and_warnings(written(**answer), becomes, warnings, stored)
    answer["parameters"]["name"], answer["warnings"] = becomes, [*warnings, "stays"]
    assert list(json.loads(said)) == list(answer)
    assert json.loads(said) == json.loads(json.dumps(answer))


def test_an_answer_in_our_own_form_is_not_parsed_as_a_whole(monkeypatch):
    read = []
    monkeypatch.setattr(own_words, "parsed_json", lambda body: read.append(len(body)) or json.loads(body))
    body = written(logs=["x" * 10_000])
    with_name_and_warnings(body, "new", ["fresh"], [])
    assert 0 < sum(read) < len(body) - 10_000


def test_an_answer_in_another_order_gets_the_same_name_and_warnings():
    answer = dict(reversed(real_shaped_answer().items())) | {"warnings": ["old", "stays"]}
    said = json.loads(with_name_and_warnings(written(**answer), "new", ["fresh", "words"], ["old"]))
    assert (said["warnings"], said["parameters"]["name"]) == (["fresh", "words", "stays"], "new")
    turned = json.dumps(dict(reversed(answer.items()))).encode()
    said = json.loads(with_name_and_warnings(turned, "new", ["fresh", "words"], ["old"]))
    assert (said["warnings"], said["parameters"]["name"]) == (["fresh", "words", "stays"], "new")


@given(name=st.none() | TEXTS | st.text(max_size=200), run_hash=st.sampled_from(["5f1c", 'odd"hash']))
def test_any_name_in_a_stored_answer_is_found_at_any_position(name, run_hash):
    answer = real_shaped_answer(run_hash)
    answer["parameters"]["name"] = name
    stored, body = stored_result(answer)
    assert name_in(stored) == json.loads(body)["parameters"]["name"]
