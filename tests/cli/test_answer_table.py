"""src/cli/answer_table.py: an answer as a table for a terminal."""

from typing import Any

from src.cli.answer_table import answer_table, refusal


def an_answer() -> dict[str, Any]:
    """The parts of a 200 answer that the table reads."""
    return {
        "parameters": {
            "name": "21-day trend",
            "starting_equity": 10000.0,
            "start_date": "2015-01-01",
            "end_date": "2020-12-31",
        },
        "metrics": {
            "total_return": 0.8421,
            "max_drawdown": 0.1,
            "sharpe_ratio": 1.2345,
            "beta": None,
            "total_orders": 12,
            "undefined": {"beta": "no benchmark"},
        },
        "equity_stats": {"equity": 18421.0, "fees": 12.0, "slippage_cost": 3.5, "volume": 1234567.0},
        "warnings": ["The prices are synthetic."],
        "provenance": {"data_source": "mock", "sandbox": "bubblewrap", "timings_ms": {"total": 412.3}},
    }


def rows(text: str) -> dict[str, str]:
    """Label and value of each line of the table."""
    pairs = (line.strip().rsplit("  ", 1) for line in text.splitlines() if line.startswith("  "))
    return {pair[0].strip(): pair[-1].strip() for pair in pairs}


def test_the_first_line_names_the_run_its_prices_its_box_and_its_duration() -> None:
    first = answer_table(an_answer()).splitlines()[0]
    assert first == "21-day trend, 2015-01-01 to 2020-12-31 on mock prices, in a bubblewrap box, 0.41 s"


def test_rates_are_percentages_and_ratios_are_numbers() -> None:
    table = rows(answer_table(an_answer()))
    assert table["total return"] == "84.21%"
    assert table["Sharpe ratio"] == "1.234"
    assert table["volume traded"] == "1,234,567.00"
    assert table["orders"] == "12"


def test_an_undefined_metric_says_why() -> None:
    assert "undefined (no benchmark)" in answer_table(an_answer())


def test_warnings_are_shown() -> None:
    assert "warning: The prices are synthetic." in answer_table(an_answer())


def test_a_refusal_shows_each_error_on_its_own_line() -> None:
    detail = {
        "analysis_errors": ["Import of 'os' is not allowed (line 3)", "No Strategy"],
        "violations": [{}],
    }
    assert refusal(400, {"detail": detail}).splitlines() == [
        "The service answered 400:",
        "  Import of 'os' is not allowed (line 3)",
        "  No Strategy",
    ]


def test_a_one_sentence_refusal_is_shown_unchanged() -> None:
    assert refusal(503, {"detail": "The queue is full."}) == "The service answered 503: The queue is full."
