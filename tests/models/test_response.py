import numpy as np
import pytest
from pydantic import ValidationError

from src.models.metrics import MetricsAnswer
from src.models.response import BacktestResponse
from src.utils.metrics import measure
from tests.fakes.backtests import real_shaped_answer


def test_a_real_answer_matches_the_documented_model():
    BacktestResponse.model_validate(real_shaped_answer(), strict=True)


def test_an_answer_without_benchmark_matches_too():
    BacktestResponse.model_validate(real_shaped_answer() | {"benchmark": None}, strict=True)


@pytest.mark.parametrize("field", real_shaped_answer())
def test_every_documented_field_is_required(field):
    answer = real_shaped_answer()
    del answer[field]
    with pytest.raises(ValidationError, match=field):
        BacktestResponse.model_validate(answer)


def test_an_order_is_a_buy_or_a_sell():
    answer = real_shaped_answer()
    answer["orders"][0]["action"] = "Short"
    with pytest.raises(ValidationError, match="action"):
        BacktestResponse.model_validate(answer)


def test_the_measured_and_the_documented_metrics_are_the_same():
    dates = np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]")
    measured = measure(np.array([1.0, 1.1]), 1.0, dates, periods_per_year=252)
    assert set(MetricsAnswer.model_fields) == {*measured.values, "undefined"}
    MetricsAnswer.model_validate({**measured.values, "undefined": measured.undefined}, strict=True)


def test_every_metric_has_a_description():
    fields = MetricsAnswer.model_json_schema()["properties"]
    assert [name for name, schema in fields.items() if not schema.get("description")] == []
