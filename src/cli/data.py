"""`python -m src data`: fetch prices in advance, list and verify stored prices."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, TextIO

from src.cli.command import Command
from src.config.settings import load_settings
from src.errors import NoPrices, PriceSourceUnavailable

if TYPE_CHECKING:
    from src.services.data_provider.cache.provider import CachedProvider
    from src.services.data_provider.cached_symbol import CachedSymbol
    from src.services.data_provider.files.provider import FilesProvider
    from src.services.data_provider.queries import MarketData

SHOWN_SUSPECTS = 5
LISTED_AT_ONCE = 50

EPILOG = """The whole history of a symbol is fetched once, then only new prices. A symbol without any price
between --start and --end counts as failed."""


def fetch(
    provider: "CachedProvider", symbols: Sequence[str], start: date, end: date, out: TextIO, progress: TextIO
) -> int:
    """Update the cache for each symbol and print what it holds afterwards.

    Args:
        start, end: a symbol without a price between these days counts as failed.
        out: receives one line per symbol.
        progress: shows the progress; nothing is shown unless it is a terminal.

    Returns:
        0 when every symbol has prices, else 1.
    """
    from tqdm import tqdm  # noqa: PLC0415 - slow, see `check`

    n_failed = 0
    form = "[{bar:30}] {n_fmt}/{total_fmt} {desc}"
    with tqdm(total=len(symbols), file=progress, disable=None, leave=False, ascii=".#", bar_format=form) as bar:
        for symbol in symbols:
            bar.set_description_str(symbol)
            try:
                provider.fetch((symbol,), start, end)
                line = _held(provider, symbol)
            except (NoPrices, PriceSourceUnavailable) as error:
                n_failed += 1
                line = f"{symbol:<12} FAILED: {error}"
            bar.write(line, file=out)
            out.flush()
            bar.update()
    return 1 if n_failed else 0


def check(provider: "CachedProvider", out: TextIO) -> int:
    """Verify every file of the cache and print one line per file; changes nothing.

    Returns:
        0 when all are intact, else 1.
    """
    # Imported late because it loads pandas and pyarrow: `python -m src --help` must not wait for them.
    from src.services.data_provider.cache.history_file import NotIntact  # noqa: PLC0415
    from src.services.data_provider.cache.provider import cached_symbol, usable_bars  # noqa: PLC0415

    n_files = n_bad = 0
    for symbol in provider.histories.symbols():
        n_files += 1
        try:
            entry = provider.histories.check(symbol)
            n_suspects = len(usable_bars(entry.history, entry.record).suspects)
            odd = f", {n_suspects} suspect rows" if n_suspects else ""
            print(f"{_range(cached_symbol(entry))}: intact{odd}", file=out)
        except (NotIntact, OSError) as error:
            n_bad += 1
            print(f"{symbol:<12} BAD: {error}", file=out)
    print(f"{n_files} files, {n_bad} of them bad." if n_files else "The cache is empty.", file=out)
    return 1 if n_bad else 0


def check_files(provider: "FilesProvider", out: TextIO) -> int:
    """Read every price file of the folder and print its contents and problems; changes nothing.

    Returns:
        0 when all are usable, else 1.
    """
    from src.services.data_provider.queries import coverage_of  # noqa: PLC0415 - slow, see `check`

    n_files = n_bad = 0
    for symbol in provider.symbols():
        n_files += 1
        entry = coverage_of(provider, symbol)
        n_bad += entry.held is None
        print(_coverage(symbol, entry.held, entry.problem), file=out)
        suspects = entry.held.suspects if entry.held else ()
        for suspect in suspects[:SHOWN_SUSPECTS]:
            print(f"{'':<12} {suspect.day}: {suspect.what}", file=out)
        if len(suspects) > SHOWN_SUSPECTS:
            print(f"{'':<12} and {len(suspects) - SHOWN_SUSPECTS} more", file=out)
    print(f"{n_files} price files, {n_bad} of them bad." if n_files else "DATA_DIR holds no price files.", file=out)
    return 1 if n_bad else 0


def list_symbols(market_data: "MarketData", out: TextIO) -> int:
    """Print the symbols that have stored prices: first and last day, rows, and why a file cannot be used.

    Returns:
        0.
    """
    cursor, n_symbols = None, 0
    while True:
        page = market_data.page(LISTED_AT_ONCE, cursor)
        for entry in page.entries:
            print(_coverage(entry.symbol, entry.held, entry.problem), file=out, flush=True)
        n_symbols += len(page.entries)
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    print(f"{n_symbols} symbols, source {market_data.source}.", file=out)
    return 0


def _coverage(symbol: str, held: "CachedSymbol | None", problem: str | None) -> str:
    if held is None:
        return f"{symbol:<12} BAD: {problem}"
    odd = f", {len(held.suspects)} suspect rows" if held.suspects else ""
    return f"{symbol:<12} {held.first_day} to {held.last_day}, {held.rows} days{odd}"


def _held(provider: "CachedProvider", symbol: str) -> str:
    held = provider.held(symbol)
    return f"{symbol:<12} fetched, but could not be stored" if held is None else _range(held)


def _range(held: "CachedSymbol") -> str:
    return (
        f"{held.symbol:<12} {held.first_day} to {held.last_day}, {held.rows} days, fetched {held.fetched_at:%F %H:%MZ}"
    )


def _run_fetch(chosen: Namespace) -> int:
    from src.app.ports import open_cache  # noqa: PLC0415 - slow, see `check`

    symbols = tuple(dict.fromkeys(symbol.upper() for symbol in chosen.symbols))
    return fetch(open_cache(load_settings()), symbols, chosen.start, chosen.end, sys.stdout, sys.stderr)


def _run_check(_chosen: Namespace) -> int:
    from src.app.ports import open_cache, open_provider  # noqa: PLC0415 - slow, see `check`
    from src.services.data_provider.files.provider import FilesProvider  # noqa: PLC0415 - slow, see `check`

    settings = load_settings()
    provider = open_provider(settings)
    if isinstance(provider, FilesProvider):
        return check_files(provider, sys.stdout)
    return check(open_cache(settings), sys.stdout)


def _run_list(_chosen: Namespace) -> int:
    from src.app.ports import open_provider  # noqa: PLC0415 - slow, see `check`
    from src.services.data_provider.queries import MarketData  # noqa: PLC0415 - slow, see `check`

    return list_symbols(MarketData(open_provider(load_settings())), sys.stdout)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2000-01-31") from error


def _add_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    fetching = actions.add_parser("fetch", help="fetch symbols from Yahoo into the cache", epilog=EPILOG)
    fetching.add_argument("symbols", nargs="+", metavar="SYMBOL", help="ticker as Yahoo spells it: SPY, ^IRX, BTC-USD")
    fetching.add_argument("--start", type=_day, default=date(1900, 1, 1), metavar="DAY", help="such as 2000-01-01")
    yesterday = date.today() - timedelta(days=1)
    fetching.add_argument("--end", type=_day, default=yesterday, metavar="DAY", help="default: yesterday")
    fetching.set_defaults(act=_run_fetch)
    checking = actions.add_parser(
        "check", help="verify every file of the cache, or of DATA_DIR if DATA_PROVIDER=files; changes nothing"
    )
    checking.set_defaults(act=_run_check)
    listing = actions.add_parser("list", help="list the symbols that have stored prices, with their first and last day")
    listing.set_defaults(act=_run_list)


def _run(chosen: Namespace) -> int:
    act: Callable[[Namespace], int] = chosen.act
    return act(chosen)


COMMAND = Command("data", "Fetch prices into the cache, list and verify stored prices.", _add_arguments, _run)
