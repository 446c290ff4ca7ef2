"""The report: whole, harmless whatever a stranger wrote, and true to the numbers."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.results.report.charts import _axis_money
from src.services.results.report.order_section import ORDERS_SHOWN
from src.services.results.report.page import report_page
from tests.services.results.samples import SOURCE, answer, result_of

VOID = {"meta"}
ELEMENTS = {
    *("html", "head", "title", "style", "meta", "body", "main", "header", "footer", "section", "h1", "h2", "h3", "p"),
    *("b", "span", "ul", "li", "dl", "dt", "dd", "div", "pre", "code", "figure", "figcaption", "svg", "path", "text"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "scope", "colspan", "title", "role", "tabindex"),
    *("aria-hidden", "aria-label", "d", "x", "y", "width", "height", "viewbox", "preserveaspectratio", "text-anchor"),
}
NASTY = [
    "<script>alert(1)</script>",
    "</title></style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</pre></code><iframe src=javascript:alert(1)>",
    "<!-- <![CDATA[ ]]> -->&lt;script&gt;&#60;b&#62;",
    "<svg onload=alert(1)><style>@import url(http://evil)</style>",
    "name \u202egnp.exe\u0000\u0007\ud800 \u2028 end",
]


class Reading(HTMLParser):
    """Notes what a browser would find; fails on tags that do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.styles: list[str] = []
        self.classes: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.classes += [word for name, value in attrs if name == "class" for word in (value or "").split()]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        (self.styles if self._open[-1:] == ["style"] else self.text).append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    @property
    def words(self) -> str:
        return "".join(self.text)


def page_of(content: dict[str, Any], source: str = SOURCE) -> str:
    names = ("candles", "orders", "holding_weights", "benchmark")
    columns = result_of(answer() | {name: content[name] for name in names})
    document = {name: value for name, value in content.items() if name not in names}
    return report_page(content["parameters"]["name"] or "MyStrategy", replace(columns, document=document), source)


def nasty_answer(text: str) -> dict[str, Any]:
    """Every string that anybody but us has a hand in is the same."""
    content = answer(n_days=30, n_orders=3, logs=[text], warnings=[text])
    content["parameters"] |= {"name": text, "universe": [text, text], "benchmark": text, "parameters": {text: [text]}}
    content["parameters"] |= {"bar_size": text, "execution": text, "commission": {text: text}}
    content["metrics"]["undefined"] = {"treynor": text}
    content["provenance"] |= {"data_source": text, "sandbox": text, "data_hash": text}
    content["provenance"]["data"] = [
        {"symbol": text, "first_day": text, "last_day": text, "rows": 3, "fetched_at": text}
    ]
    return content


def assert_harmless(page: str) -> Reading:
    reading = Reading(page)
    assert reading.elements <= ELEMENTS
    assert reading.attributes <= ATTRIBUTES
    assert not re.search(r"url\(|@import|expression\(", "".join(reading.styles))
    page.encode("utf-8")
    return reading


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_stays_text(text: str) -> None:
    reading = assert_harmless(page_of(nasty_answer(text), source=text))
    visible = text.split("\u202e", maxsplit=1)[0]
    # In the name twice (title and heading), warnings, logs, source, every order …
    assert reading.words.count(visible) >= 10


@given(st.text())
def test_any_text_stays_text(text: str) -> None:
    assert_harmless(page_of(nasty_answer(text), source=text))


def test_what_cannot_be_seen_is_spelled_out() -> None:
    words = assert_harmless(page_of(nasty_answer(NASTY[-1]))).words
    assert r"name \u202egnp.exe\x00\x07\ud800 \u2028 end" in words
    assert not re.search("[\u202e\x00\x07\u2028]", words)


def test_nothing_is_fetched_and_nothing_runs() -> None:
    page = page_of(answer())
    assert "default-src 'none'" in page
    assert not re.search(r"(?i)<script|https?:|src=|href=|javascript:", page)


def test_what_a_reader_must_know_stands_before_the_first_chart() -> None:
    page = page_of(answer(warnings=["SPY did not fill on 2015-03-02"]))
    head = Reading(page[: page.index("<figure>")] + "</section></main></body></html>").words
    for wanted in ("Half and half", "SPY, BND", "2015-01-01", "SPY did not fill", "engine 2", "0" * 64, "Synthetic"):
        assert wanted in head


def test_many_warnings_do_not_push_the_result_off_the_page() -> None:
    page = page_of(answer(warnings=[f"warning {n}." for n in range(30)]))
    assert "warning 7." in page[: page.index("<figure>")]
    assert "warning 8." not in page[: page.index("<figure>")]
    assert "30 warnings" in page and "and 22 more, listed at the end" in page
    assert "warning 29." in page[page.index("All warnings") :]


@pytest.mark.parametrize("is_synthetic", [True, False])
def test_made_up_prices_are_called_so(is_synthetic: bool) -> None:
    content = answer(warnings=[])
    content["provenance"]["is_synthetic"] = is_synthetic
    assert ("Synthetic prices." in page_of(content)) is is_synthetic


def test_every_metric_is_explained_and_an_undefined_one_has_its_reason() -> None:
    words = Reading(page_of(answer())).words
    assert "Jensen's alpha against the benchmark." in words
    assert "Treynor ratioYearly excess return over beta.–Undefined: beta is too close to zero." in words


def test_few_orders_are_all_there_and_of_many_both_ends() -> None:
    assert "left out" not in page_of(answer(n_orders=ORDERS_SHOWN))
    words = Reading(page_of(answer(n_orders=ORDERS_SHOWN + 7))).words
    assert "7 orders are left out here: orders.csv has them all" in words
    assert "507 orders" in words


def test_the_source_is_there_letter_for_letter() -> None:
    source = "if a < b and c > d:\n\tprint('&amp;', \"é 漢字 👩\u200d💻\")\n"
    assert source in Reading(page_of(answer(), source)).words


def test_lines_that_end_as_on_windows_look_like_any_other() -> None:
    assert "one\ntwo\\rthree" in Reading(page_of(answer(), "one\r\ntwo\rthree")).words


@pytest.mark.parametrize(("value", "label"), [(1_500_000, "1.5M"), (2e9, "2B"), (2.5e13, "25T"), (999_999, "999,999")])
def test_labels_of_the_axis_fit_its_margin(value: float, label: str) -> None:
    assert _axis_money(value) == label


def test_a_long_output_is_cut_with_a_note() -> None:
    words = Reading(page_of(answer(logs=[f"line {n}." for n in range(2_000)]))).words
    assert "line 499." in words and "line 500." not in words and "1,500 more in result.json" in words


@pytest.mark.parametrize("n_days", [1, 2, 3, 45, 400, 3_000])
@pytest.mark.parametrize("has_benchmark", [True, False])
def test_runs_of_any_length_have_a_report(n_days: int, has_benchmark: bool) -> None:
    content = answer(n_days=n_days, n_orders=0)
    if not has_benchmark:
        content |= {"benchmark": None}
    page = page_of(content)
    assert_harmless(page)
    assert not re.search(r"(?i)\b(nan|inf)\b", page)
    assert "Nothing was bought or sold." in page


@pytest.mark.parametrize("closes", [[0.0, 0.0], [1e-300, 1e300], [10_000.0] * 5, [5.0, 0.0, 5.0], [1e15, 1.0]])
def test_odd_equity_has_a_report(closes: list[float]) -> None:
    content = answer(n_days=len(closes), n_orders=0, benchmark=None)
    for candle, close in zip(content["candles"], closes, strict=True):
        candle.update(dict.fromkeys(("open", "high", "low", "close"), close))
    page = page_of(content)
    assert_harmless(page)
    assert not re.search(r"\bnan\b|\binf\b", page)


def test_25_years_of_days_are_a_small_page() -> None:
    assert len(page_of(answer(n_days=9_200, n_orders=20))) < 250_000


def test_round_trips_are_shown_by_profit_beside_their_statistics() -> None:
    few = " ".join(Reading(report_page("Mine", result_of(answer(n_orders=3)), SOURCE)).text)
    assert "3 round trips, first in, first out" in few
    assert "Per round trip" in few and "Per fill" in few
    many = " ".join(Reading(report_page("Mine", result_of(answer(n_orders=60)), SOURCE)).text)
    n_trips = len(result_of(answer(n_orders=60)).trades)
    assert f"{n_trips - 20:,} more between them: trades.csv" in many
    none = replace(result_of(answer()), trades=None)
    assert "stored before round trips were recorded" in report_page("Mine", none, SOURCE)


def test_the_benchmark_has_a_column_in_the_groups_where_it_has_numbers() -> None:
    page = report_page("Mine", result_of(answer()), SOURCE)
    # Return, risk, risk-adjusted return and years, but neither the figures against itself nor trading.
    assert page.count('<th scope="col">Benchmark</th>') == 4
    assert '<th scope="col">Benchmark</th>' not in report_page("Mine", result_of(answer(benchmark=None)), SOURCE)


def test_the_report_says_that_fills_are_at_the_close_that_was_seen() -> None:
    content = answer()
    content["parameters"]["execution"] = "close_to_close"
    assert "the very close that the strategy saw" in report_page("Mine", result_of(content), SOURCE)
    assert "the very close that the strategy saw" not in report_page("Mine", result_of(answer()), SOURCE)


def test_the_rolling_sharpe_ratio_is_drawn_where_the_run_is_long_enough() -> None:
    caption = "Sharpe ratio of the last so many days"
    whole, quarter = (Reading(report_page("Mine", result_of(answer(n_days=n)), SOURCE)).words for n in (300, 100))
    assert caption in whole and "252 days" in whole and "63 days" in whole
    assert caption in quarter and "252 days" not in quarter
    assert "shorter than the windows" in report_page("Mine", result_of(answer(n_days=20, n_orders=2)), SOURCE)
