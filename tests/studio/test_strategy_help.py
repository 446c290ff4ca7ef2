"""The editor completes and explains the strategy API, from the catalogue that the service has of it."""

import pytest
from playwright.sync_api import Locator, Page, expect

from src.execution.reading.catalogue import catalogue
from tests.studio.acting import EDITOR, write

ENTRIES = {entry.name: entry for entry in catalogue()}
CODE = """\
import talib as ta
from hqg_backtester import Weights

class Mine(Strategy):
    universe = ["SPY"]

    def on_data(self, bars, portfolio):
        # bars.time
        x = bars.history("SPY", 20)
        y = Weights({})
        return """


def typed(page: Page, text: str) -> Locator:
    """The list of completions once this was typed after CODE."""
    write(page, CODE)
    page.keyboard.press("Escape")
    page.keyboard.type(text)
    return page.locator(".cm-tooltip-autocomplete")


def labels(listed: Locator) -> list[str]:
    """What the list offers, once it is open."""
    expect(listed).to_be_visible()
    return listed.locator(".cm-completionLabel").all_inner_texts()


def members(owner: str) -> list[str]:
    """The catalogue's names of an owner."""
    return sorted(name.partition(".")[2] for name in ENTRIES if name.startswith(f"{owner}."))


@pytest.mark.parametrize(("written", "owner"), [("bars.", "data"), ("portfolio.", "portfolio"), ("self.", "Strategy")])
def test_a_dot_offers_what_the_strategy_receives(service, open_page, written, owner):
    assert sorted(labels(typed(open_page(service), written))) == members(owner)


def test_signals_and_ta_lib_are_completed_with_their_signatures(service, open_page):
    page = open_page(service)
    listed = typed(page, "Prot")
    expect(listed.locator("[aria-selected]")).to_contain_text("Protected(signal:")
    expect(page.locator(".cm-completionInfo")).to_contain_text(ENTRIES["Protected"].summary)
    listed.locator("[aria-selected]").click()
    expect(page.get_by_role("textbox", name=EDITOR)).to_contain_text("return Protected")
    listed = typed(page, "ta.RS")
    assert labels(listed)[0] == "RSI"
    expect(listed.locator("[aria-selected]")).to_contain_text("(real, timeperiod=14)")
    expect(page.locator(".cm-completionInfo")).to_contain_text("Relative Strength Index (Momentum Indicators).")


def test_members_of_other_objects_are_not_invented(service, open_page):
    page = open_page(service)
    listed = typed(page, "x.")
    page.keyboard.press("Control+Space")
    assert not {"close", "cash", "cadence"} & set(labels(listed))


def test_hover_explains_a_name_and_not_the_same_word_elsewhere(service, open_page):
    page = open_page(service)
    write(page, CODE)
    help_ = page.locator(".strategy-help")
    line = page.locator(".cm-line")
    line.filter(has_text="x = bars.history").get_by_text("history", exact=True).hover()
    expect(help_.locator("code")).to_have_text(
        'data.history(symbol: str, n: int, field: str = "close") → list[float] | list[Bar]'
    )
    expect(help_).to_contain_text(ENTRIES["data.history"].summary)
    line.filter(has_text="y = Weights").get_by_text("Weights", exact=True).hover()
    expect(help_).to_contain_text(ENTRIES["Weights"].summary)
    line.filter(has_text="universe").hover(position={"x": 60, "y": 8})
    expect(help_).to_contain_text(ENTRIES["Strategy.universe"].summary)


def test_without_the_catalogue_the_editor_still_writes(service, open_page):
    page = open_page(service, allowed=["strategy.json", "ERR_FAILED"])
    page.route("**/studio/strategy.json", lambda route: route.abort())
    typed(page, "bars.close")
    expect(page.get_by_role("textbox", name=EDITOR)).to_contain_text("return bars.close")
    page.unroute("**/studio/strategy.json")
    assert "close" in labels(typed(page, "bars.cl")), "asked again"
