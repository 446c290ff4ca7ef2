import json
from datetime import date, datetime

import pytest
from pydantic import ValidationError

from src.models.request import MAX_PARAMETERS_BYTES, BacktestRequest

MINIMAL = {"strategy_code": "pass", "start_date": "2015-01-01", "end_date": "2015-12-31"}


def parse(**fields: object) -> BacktestRequest:
    return BacktestRequest.model_validate(MINIMAL | fields)


def problems(**fields: object) -> list[tuple[str, str]]:
    """(path, type) of every problem of the request."""
    with pytest.raises(ValidationError) as caught:
        parse(**fields)
    return [(".".join(str(part) for part in error["loc"]), error["type"]) for error in caught.value.errors()]


def test_the_defaults_are_those_of_the_contract():
    assert parse().model_dump() == {
        "strategy_code": "pass",
        "start_date": date(2015, 1, 1),
        "end_date": date(2015, 12, 31),
        "universe": None,
        "name": None,
        "initial_capital": 10_000.0,
        "commission": 0.0,
        "slippage": 0.0,
        "benchmark": "SPY",
        "risk_free_rate": None,
        "min_trade_value": 1.0,
        "seed": 0,
        "parameters": {},
    }


@pytest.mark.parametrize("missing", MINIMAL)
def test_code_and_dates_are_required(missing):
    with pytest.raises(ValidationError) as caught:
        BacktestRequest.model_validate({name: value for name, value in MINIMAL.items() if name != missing})
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [((missing,), "missing")]


@pytest.mark.parametrize(
    "written",
    [
        "2015-03-31",
        "2015-03-31T23:59:59",
        "2015-03-31T23:30:00-05:00",
        "2015-03-31T00:00:00.000Z",
        "20150331",
    ],
)
def test_a_datetime_counts_as_its_date_as_written(written):
    assert parse(start_date=written).start_date == date(2015, 3, 31)


def test_python_dates_are_dates_too():
    request = parse(start_date=date(2015, 3, 31), end_date=datetime(2015, 4, 1, 12))
    assert (request.start_date, request.end_date) == (date(2015, 3, 31), date(2015, 4, 1))


@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "2015-02-30",
        "31.03.2015",
        1420070400,
        1.5,
        True,
        None,
        ["2015-01-01"],
        "2015-01-01\x00",
    ],
)
def test_an_invalid_date_is_refused(written):
    assert problems(start_date=written) == [("start_date", "iso_date")]


@pytest.mark.parametrize("end", ["2015-01-01", "2014-12-31", "2015-01-01T23:00:00"])
def test_the_end_must_be_after_the_start(end):
    assert problems(end_date=end) == [("end_date", "end_not_after_start")]


@pytest.mark.parametrize("field", ["initial_capital", "risk_free_rate", "min_trade_value", "max_gross"])
@pytest.mark.parametrize("value", [True, "5", float("nan"), float("inf"), -float("inf"), [1], {}, 10**400])
def test_only_finite_numbers_are_numbers(field, value):
    assert [place for place, _ in problems(**{field: value})] == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("initial_capital", 0),
        ("initial_capital", -1),
        ("initial_capital", 1e16),
        ("initial_capital", None),
        ("min_trade_value", -0.01),
        ("risk_free_rate", -1),
        ("risk_free_rate", 2),
        ("max_gross", 0.99),
        ("max_gross", 10.01),
        ("borrow_rate", -0.01),
        ("margin_rate", 10.01),
        ("allow_short", 1),
        ("allow_short", "yes"),
        ("allow_short", None),
        ("seed", -1),
        ("seed", 2**32),
        ("seed", 1.5),
        ("seed", True),
        ("seed", "7"),
        ("seed", None),
        pytest.param("seed", 10**5000, id="seed of 5000 digits"),
        ("seed", float("inf")),
        ("name", 5),
        ("name", "x" * 201),
        ("strategy_code", b"pass"),
        ("strategy_code", None),
        ("parameters", None),
        ("parameters", [1]),
        ("parameters", "{}"),
    ],
)
def test_values_out_of_bounds_are_refused_with_the_field_name(field, value):
    assert [place for place, _ in problems(**{field: value})] == [field]


def test_a_seed_may_be_numpys_maximum_or_a_whole_float():
    assert (parse(seed=2**32 - 1).seed, parse(seed=3.0).seed) == (2**32 - 1, 3)


@pytest.mark.parametrize("field", ["strategy_code", "name", "benchmark"])
def test_half_a_surrogate_pair_is_refused_with_the_field_name(field):
    assert problems(**{field: "a\ud800"}) == [(field, "lone_surrogate")]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("spy", "SPY"),
        (" qqq ", "QQQ"),
        ("^gspc", "^GSPC"),
        ("brk-b", "BRK-B"),
        ("ES=F", "ES=F"),
        (None, None),
    ],
)
def test_a_benchmark_is_upper_cased(sent, kept):
    assert parse(benchmark=sent).benchmark == kept


@pytest.mark.parametrize(
    "sent", ["", "^", "../SPY", "SPY/..", "S PY", "SPY\n!", ".SPY", "A" * 21, "ﬁ", "ß", "١", 5, "SPY\x00"]
)
def test_a_benchmark_must_be_a_ticker(sent):
    assert [place for place, _ in problems(benchmark=sent)] == ["benchmark"]


def test_config_params_is_an_alias_of_parameters():
    request = parse(config_params={"lookback": 10})
    assert (request.parameters, request.unknown_fields_warnings()) == ({"lookback": 10}, [])


def test_sending_parameters_under_both_names_is_refused():
    assert problems(parameters={}, config_params={}) == [("", "parameters_twice")]


def test_parameters_are_limited_to_exactly_a_hundred_kilobytes():
    frame_bytes = len(json.dumps({"text": ""}, separators=(",", ":")))
    text = "é" * ((MAX_PARAMETERS_BYTES - frame_bytes) // 2)
    assert parse(parameters={"text": text}).parameters == {"text": text}
    assert problems(parameters={"text": text + "é"}) == [("parameters", "too_large")]


def test_a_warning_names_a_mistyped_field_and_the_nearest_real_one():
    request = parse(comission=1, startDate="2014-01-01", zzz=None)
    assert request.unknown_fields_warnings() == [
        "'comission' is not a field; did you mean 'commission'?",
        "'startDate' is not a field; did you mean 'start_date'?",
        "'zzz' is not a field",
    ]
    assert request.commission == 0.0


def test_a_warning_names_a_mistyped_field_of_a_cost_model():
    request = parse(commission={"model": "per_share", "amount": 0.01, "minmum": 1})
    assert request.unknown_fields_warnings() == [
        "'commission.minmum' is not a field; did you mean 'commission.minimum'?"
    ]


def test_warnings_truncate_and_escape_unknown_fields():
    warnings = parse(**{"\ud800\n": 1, "x" * 500_000: 1}).unknown_fields_warnings()
    assert warnings == [r"'\ud800\n' is not a field", f"'{'x' * 80}…' is not a field"]
    many = parse(**{f"field_{number}": 1 for number in range(1000)}).unknown_fields_warnings()
    assert (len(many), many[-1]) == (21, "980 more names are not fields")


def test_unknown_fields_do_not_change_the_request():
    assert parse(comission=1).model_dump() == parse().model_dump()


def test_a_request_is_immutable():
    with pytest.raises(ValidationError, match="frozen"):
        parse().seed = 5


def test_every_field_has_a_description():
    fields = BacktestRequest.model_json_schema()["properties"]
    assert [name for name, schema in fields.items() if not schema.get("description")] == []
