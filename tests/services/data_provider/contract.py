"""What every provider promises: subclass, give a case, and the promises are tested."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest

from src.errors import NoPrices
from src.services.data_provider.base import DataProvider

HOSTILE_SYMBOLS = (
    "../SPY",
    "..",
    "SPY/../SPY",
    "/etc/passwd",
    "SPY\n",
    "SPY\x00",
    "",
    ".SPY",
    "spy",
    "SPY?x=1",
    "SPY%2F..",
    "A" * 30,
)


@dataclass(frozen=True)
class Case:
    """A provider and what it is known to have.

    Attributes:
        known: at least three symbols with a bar on every session from start to end.
        start: first day of a window of at least 60 days, a session.
        end: last day of the window, a session.
        unknown: at least two symbols that are well-formed tickers and do not exist.
        empty: a window in which known[0] has no bar.
    """

    provider: DataProvider
    known: tuple[str, ...]
    start: date
    end: date
    unknown: tuple[str, ...]
    empty: tuple[date, date]


class DataProviderContract:
    """The promises of `DataProvider`; a subclass overrides the fixture `case`."""

    @pytest.fixture
    def case(self) -> Case:
        raise NotImplementedError

    def test_it_says_who_it_is(self, case: Case) -> None:
        assert case.provider.name.isidentifier()
        assert isinstance(case.provider.is_synthetic, bool)

    def test_symbols_come_in_the_order_asked_for(self, case: Case) -> None:
        forward = case.provider.fetch(case.known, case.start, case.end)
        backward = case.provider.fetch(case.known[::-1], case.start, case.end)
        assert forward.symbols == case.known
        assert backward.symbols == case.known[::-1]
        np.testing.assert_array_equal(forward.bars, backward.bars[:, ::-1])

    def test_both_ends_of_the_window_are_included_and_nothing_outside(self, case: Case) -> None:
        table = case.provider.fetch(case.known, case.start, case.end)
        assert table.dates[0].item() == case.start
        assert table.dates[-1].item() == case.end
        assert {(origin.first_day, origin.last_day) for origin in table.origins} == {(case.start, case.end)}

    def test_one_day_is_a_window(self, case: Case) -> None:
        table = case.provider.fetch(case.known[:1], case.start, case.start)
        assert table.bars.shape == (1, 1, 5)

    def test_prices_do_not_depend_on_the_window(self, case: Case) -> None:
        whole = case.provider.fetch(case.known, case.start, case.end)
        start, end = case.start + timedelta(days=20), case.end - timedelta(days=20)
        part = case.provider.fetch(case.known, start, end)
        assert 0 < part.dates.size < whole.dates.size
        assert part.data_hash() == whole.window(start, end).data_hash()

    def test_prices_do_not_depend_on_the_symbols_beside_them(self, case: Case) -> None:
        together = case.provider.fetch(case.known, case.start, case.end)
        alone = case.provider.fetch(case.known[1:2], case.start, case.end)
        np.testing.assert_array_equal(together.bars[:, 1], alone.bars[:, 0])

    def test_asked_twice_it_answers_the_same(self, case: Case) -> None:
        first = case.provider.fetch(case.known, case.start, case.end)
        second = case.provider.fetch(case.known, case.start, case.end)
        assert first.data_hash() == second.data_hash()
        assert first.warnings() == second.warnings()

    def test_what_a_caller_gets_cannot_be_changed(self, case: Case) -> None:
        table = case.provider.fetch(case.known, case.start, case.end)
        with pytest.raises(ValueError, match="read-only"):
            table.bars[0, 0, 0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            table.close[0, 0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            table.dates[0] = np.datetime64("2000-01-01")

    def test_every_unknown_symbol_is_named_at_once_and_no_known_one(self, case: Case) -> None:
        asked = (case.known[0], *case.unknown, case.known[1])
        with pytest.raises(NoPrices) as raised:
            case.provider.fetch(asked, case.start, case.end)
        assert len(raised.value.errors) == len(case.unknown)
        for symbol, error in zip(case.unknown, raised.value.errors, strict=True):
            assert f"'{symbol}'" in error
        assert f"'{case.known[0]}'" not in str(raised.value)

    def test_a_window_without_a_bar_names_symbol_and_window(self, case: Case) -> None:
        start, end = case.empty
        with pytest.raises(NoPrices) as raised:
            case.provider.fetch(case.known[:1], start, end)
        (error,) = raised.value.errors
        assert f"'{case.known[0]}'" in error
        assert start.isoformat() in error
        assert end.isoformat() in error

    def test_an_unknown_symbol_and_an_empty_window_are_told_together(self, case: Case) -> None:
        with pytest.raises(NoPrices) as raised:
            case.provider.fetch((case.known[0], case.unknown[0]), *case.empty)
        assert len(raised.value.errors) == 2

    def test_what_is_no_ticker_has_no_prices_no_yields_and_no_version(self, case: Case) -> None:
        for symbol in HOSTILE_SYMBOLS:
            with pytest.raises(NoPrices, match="not a ticker"):
                case.provider.fetch((symbol,), case.start, case.end)
            with pytest.raises(NoPrices):
                case.provider.fetch_yields(symbol, case.start, case.end)
            assert case.provider.version(symbol, case.end) is None

    def test_a_version_stays_as_long_as_the_prices_do(self, case: Case) -> None:
        case.provider.fetch(case.known, case.start, case.end)
        versions = [case.provider.version(symbol, case.end) for symbol in case.known]
        case.provider.fetch(case.known, case.start, case.end)
        assert [case.provider.version(symbol, case.end) for symbol in case.known] == versions

    def test_unknown_symbols_have_no_versions_of_their_own(self, case: Case) -> None:
        with pytest.raises(NoPrices):
            case.provider.fetch(case.unknown[:1], case.start, case.end)
        versions = {case.provider.version(symbol, case.end) for symbol in case.unknown}
        assert len(versions) == 1
        assert case.provider.version(case.known[0], case.end) not in versions - {None}

    def test_many_threads_get_the_same_answer(self, case: Case) -> None:
        def fetch(_: int) -> str:
            return case.provider.fetch(case.known, case.start, case.end).data_hash()

        with ThreadPoolExecutor(max_workers=8) as threads:
            hashes = set(threads.map(fetch, range(8)))
        assert hashes == {case.provider.fetch(case.known, case.start, case.end).data_hash()}

    def test_yields_are_finite_and_one_a_day(self, case: Case) -> None:
        table = case.provider.fetch(case.known[:1], case.start, case.end)
        yields = case.provider.fetch_yields(case.known[0], case.start, case.end)
        assert yields.dates.tolist() == table.dates.tolist()
        assert yields.percent.tolist() == table.close[:, 0].tolist()

    def test_yields_of_an_unknown_symbol_or_an_empty_window_are_refused(self, case: Case) -> None:
        with pytest.raises(NoPrices, match=case.unknown[0]):
            case.provider.fetch_yields(case.unknown[0], case.start, case.end)
        with pytest.raises(NoPrices):
            case.provider.fetch_yields(case.known[0], *case.empty)
