"""docs/strategies.md: what it says of each name is what the catalogue has, and its recipes do what they say.

The recipes run as they stand on the page, in a box, on real prices; pandas computes what they should have done.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from src.execution.reading.catalogue import Entry, catalogue
from src.execution.sandbox.base import Sandbox
from src.services.data_provider.files.provider import FilesProvider
from src.services.results.answer_json import answer_pieces
from src.services.results.sections import Asked
from tests.conftest import open_sandbox
from tests.services.backtests.answers import prepared

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "strategies.md").read_text()
RECIPE = re.compile(r"^### \d+\. (.+?)\n(.*?)^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
RECIPES = {title: (said, source) for title, said, source in RECIPE.findall(PAGE)}
SECTIONS = Asked(frozenset({"plots", "log_lines"}))
YEAR = {"start_date": "2019-01-01", "end_date": "2019-12-31"}


def written(entry: Entry) -> str:
    """A name as the page writes it: with arguments and their defaults, and without types."""
    signature = re.sub(r"\[[^\]]*\]", "", entry.signature or "")
    return entry.name + re.sub(r": [\w .|]+?(?= = |[,)])", "", signature).replace(" = ", "=")


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_the_reference_says_of_a_name_what_the_editor_says(entry: Entry) -> None:
    assert f"| `{written(entry)}` | {entry.summary} " in PAGE


@pytest.fixture(scope="module", params=[pytest.param("bubblewrap", marks=pytest.mark.bubblewrap)])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """The sandbox that starts soonest."""
    opened = open_sandbox(request.param)
    yield opened
    opened.close()


@pytest.fixture
def ran(box: Sandbox, market_folder: Path) -> "Ran":
    return Ran(box, market_folder)


class Ran:
    """Runs recipes on real prices, and has those prices."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self._box, self._folder = box, folder

    def __call__(self, title: str, **fields: Any) -> dict[str, Any]:
        """The answer to a recipe, with the fields that the page says beside it."""
        said, source = RECIPES[title]
        request = re.search(r"^Request: `(.*)`$", said, re.MULTILINE)
        beside = json.loads(request[1]) if request else {}
        terms = {"benchmark": None, "risk_free_rate": 0.0} | YEAR | beside | fields
        with prepared(FilesProvider(self._folder), self._box, strategy_code=source, **terms) as ready:
            answer: dict[str, Any] = json.loads(b"".join(answer_pieces(ready.execute(), SECTIONS)))
        assert not [line for line in answer["logs"] if "Warning" in line]
        return answer

    def prices(self, symbol: str, column: str = "close") -> "pd.Series[float]":
        """A column of all that is known of a symbol."""
        return pd.read_parquet(self._folder / f"{symbol}.parquet")[column]


def days(answer: dict[str, Any], action: str | None = None, symbol: str | None = None) -> list[str]:
    """The dates of its orders."""
    orders = answer["orders"]
    chosen = [o for o in orders if action in (None, o["action"]) and symbol in (None, o["symbol"])]
    return [order["timestamp"][:10] for order in chosen]


def changes(wanted: "pd.Series[float]", start: str = "2019-01-01", end: str = "2019-12-31") -> list[str]:
    """The days of the window on which what is wanted differs from the day before; it begins with nothing."""
    inside = wanted.loc[start:end]
    return dates(inside.index[inside.ne(inside.shift(fill_value=0.0))])


def dates(index: pd.Index) -> list[str]:
    return [str(day.date()) for day in index]


def held(wanted: "pd.Series[float]") -> "pd.Series[float]":
    """What is held where NaN holds."""
    return wanted.ffill().fillna(0.0)


def test_turn_of_the_month_buys_on_last_weekdays_and_sells_on_third_sessions(ran: Ran) -> None:
    answer = ran("Turn of the month")
    index = ran.prices("SPY")["2019"].index
    last = index[(index + pd.offsets.BDay()).month != index.month]
    third = [group.index[2] for _, group in index.to_series().groupby(index.month)][1:]
    assert days(answer, "Buy") == dates(last)
    assert days(answer, "Sell") == dates(pd.Index(third))


def test_momentum_holds_the_best_of_the_past_year_from_the_first_month_on(ran: Ran) -> None:
    answer = ran("Twelve-month momentum without the last month")
    sectors = ["XLE", "XLF", "XLK", "XLV"]
    months = pd.concat({name: ran.prices(name) for name in sectors}, axis=1).resample("ME").last()
    best = (months.shift(1) / months.shift(12)).loc["2019-01":"2019-11"].idxmax(axis=1)
    sessions = ran.prices("SPY")["2019"].index
    firsts = dates(pd.Index([group.index[0] for _, group in sessions.to_series().groupby(sessions.month)][1:]))
    changed = best.ne(best.shift())
    expected = [(day, name) for day, name, is_new in zip(firsts, best, changed, strict=True) if is_new]
    assert len(expected) > 1
    bought = list(
        zip(days(answer, "Buy"), [o["symbol"] for o in answer["orders"] if o["action"] == "Buy"], strict=True)
    )
    opened = [(day, name) for day, name in bought if (day, name) in expected]
    assert opened == expected
    assert {name for day, name in bought} == set(best)


def test_rsi_trades_on_the_days_of_wilder_s_own_smoothing(ran: Ran) -> None:
    answer = ran("RSI by TA-Lib")
    moves = ran.prices("SPY").diff()
    rises, falls = (part.clip(lower=0).ewm(alpha=1 / 2, adjust=False).mean() for part in (moves, -moves))
    strength = 100 * rises / (rises + falls)
    wanted = held(strength.case_when([(strength < 10, 1.0), (strength > 70, 0.0), (strength >= 10, np.nan)])["2019"])
    assert len(days(answer)) > 10
    assert days(answer) == changes(wanted)


def test_the_volatility_target_holds_what_pandas_computes(ran: Ran) -> None:
    answer = ran("Volatility target", end_date="2019-03-29")
    returns = np.log(ran.prices("SPY")).diff()
    target = (0.10 / (returns.rolling(20).std() * np.sqrt(252))).clip(upper=1.0)
    weights = {pd.Timestamp(point["time"], unit="s"): point["weights"]["SPY"] for point in answer["holding_weights"]}
    assert len(weights) > 40
    assert list(weights.values()) == pytest.approx([target[day] for day in weights], abs=2e-4), "min_trade_value"


def test_the_pair_is_short_what_ran_ahead(ran: Ran) -> None:
    answer = ran("Long-short pair", min_trade_value=0.0)
    ratio = np.log(ran.prices("XLP")) - np.log(ran.prices("XLU"))
    rolling = ratio.rolling(60)
    score = ((ratio - rolling.mean()) / rolling.std(ddof=0))["2019"]
    side, opened, expected = 0.0, [], set()
    for day, value in score.items():
        is_apart, is_over = abs(value) > 1.5, side * value < 0
        if is_apart and side != np.sign(value):
            opened.append((str(day.date()), "Sell" if value > 0 else "Buy"))
        if is_apart or is_over:
            expected.add(str(day.date()))
            side = np.sign(value) if is_apart else 0.0
    orders = [(order["timestamp"][:10], order["action"]) for order in answer["orders"] if order["symbol"] == "XLP"]
    assert len(opened) > 1
    assert set(opened) <= set(orders)
    assert {day for day, _ in orders} == expected
    assert min(point["weights"].get("XLP", 0.0) for point in answer["holding_weights"]) < 0


def test_a_stop_closes_the_position_at_its_level_or_at_a_worse_open(ran: Ran) -> None:
    answer = ran("Stop and trail", start_date="2011-01-01", end_date="2011-12-30")
    closes = ran.prices("SPY")
    breakouts = set(dates(closes.index[closes > closes.shift().rolling(20).max()]))
    assert set(days(answer, "Buy")) <= breakouts
    exits = [order for order in answer["orders"] if order["action"] == "Sell"]
    assert {order["reason"] for order in exits} == {"stop_loss", "trailing_stop"}
    for buy, exit_ in zip(answer["orders"][::2], exits, strict=False):
        held_days = slice(buy["timestamp"][:10], exit_["timestamp"][:10])
        best = max([buy["price"], *ran.prices("SPY", "high")[held_days].iloc[1:-1]])
        level = max(0.97 * buy["price"], 0.94 * best)
        assert exit_["price"] == pytest.approx(min(level, ran.prices("SPY", "open")[held_days].iloc[-1]))


def test_several_cadences_trade_on_first_sessions_and_on_fridays(ran: Ran) -> None:
    answer = ran("Several cadences", start_date="2020-01-01", end_date="2020-06-30")
    sessions = ran.prices("SPY")["2020-01":"2020-06"].index
    firsts = dates(pd.Index([group.index[0] for _, group in sessions.to_series().groupby(sessions.month)]))
    traded = set(days(answer))
    assert set(firsts) <= traded
    others = traded - set(firsts)
    assert others
    assert {pd.Timestamp(day).weekday() for day in others} == {4}


def test_the_model_is_fitted_once_a_year_and_predicts_what_least_squares_does(ran: Ran) -> None:
    window = {"start_date": "2018-11-01", "end_date": "2019-02-28"}
    answer = ran("A model refitted every year", **window)
    assert answer["logs"] == ["fitted on 500 days"] * 2
    closes = np.log(ran.prices("SPY"))
    inside, year, fitted = closes.loc[window["start_date"] : window["end_date"]].index, None, np.zeros(6)
    wanted = {}
    for day in inside:
        returns = closes[:day].iloc[-506:].diff().dropna().to_numpy()
        lagged = np.array([[1.0, *returns[at - 5 : at]] for at in range(5, len(returns) + 1)])
        if day.year != year:
            year, fitted = day.year, np.linalg.lstsq(lagged[:-1], returns[5:], rcond=None)[0]
        wanted[day] = float(lagged[-1] @ fitted > 0)
    assert days(answer) == changes(pd.Series(wanted), *window.values())


def test_parameters_of_the_request_replace_the_declared_ones(ran: Ran) -> None:
    closes = ran.prices("SPY")
    for fast, answer in ((5, ran("Parameters")), (10, ran("Parameters", parameters={}))):
        wanted = (closes.rolling(fast).mean() > closes.rolling(50).mean()).astype(float)
        assert days(answer) == changes(wanted), fast


def test_plots_have_a_point_for_each_day_and_log_lines_its_date(ran: Ran) -> None:
    answer = ran("Plots", end_date="2019-02-28")
    closes = ran.prices("SPY")
    expected = {"close": closes, "50-day average": closes.rolling(50).mean()}
    inside = closes["2019-01":"2019-02"].index
    assert {series["name"] for series in answer["plots"]} == set(expected)
    for series in answer["plots"]:
        times, values = zip(*series["points"], strict=True)
        assert dates(pd.to_datetime(times, unit="s")) == dates(inside)
        assert list(values) == pytest.approx(list(expected[series["name"]][inside]), rel=1e-12)
    assert dates(pd.to_datetime([line["time"] for line in answer["log_lines"]], unit="s")) == dates(inside)
    assert [line["line"] for line in answer["log_lines"]] == answer["logs"]


def test_every_recipe_has_its_test() -> None:
    here = Path(__file__).read_text()
    assert [title for title in RECIPES if f'ran("{title}"' not in here] == []
