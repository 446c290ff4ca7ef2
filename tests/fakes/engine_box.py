"""A scripted box around the real engine, without user code; honest unless told to forge."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from hqg_algorithms import BarSize, ExecutionTiming

from src.engine.costs import commission_from_wire, slippage_from_wire
from src.engine.ledger import Ledger
from src.engine.market import Market, Rules
from src.engine.simulator import simulate
from src.execution import protocol

Forge = Callable[[Ledger], None]


def frames_in(heard: bytes) -> dict[bytes, bytes]:
    """The payload of each frame that the host wrote, by kind."""
    frames = {}
    while heard:
        kind, length = protocol.HEADER.unpack_from(heard)
        frames[kind] = heard[protocol.HEADER.size : protocol.HEADER.size + length]
        heard = heard[protocol.HEADER.size + length :]
    return frames


def engine_script(
    description: dict[str, Any],
    weights: Sequence[float] | None,
    forge: Forge = lambda ledger: None,
) -> Callable[[bytes], bytes]:
    """A box whose strategy always wants the same weights.

    Args:
        description: its universe, bar_size and execution.
        weights: its answer to every bar; None holds.
        forge: changes the books before they are sent.
    """

    def script(heard: bytes) -> bytes:
        frames = frames_in(heard)
        if protocol.PRICES not in frames:
            ready = protocol.json_frame(protocol.READY, {"version": protocol.VERSION})
            return ready + protocol.json_frame(protocol.DESCRIBED, description)
        key = bytes.fromhex(json.loads(frames[protocol.JOB])["price_key"])
        wire, prices = (protocol.cipher(key, kind, frames[kind]) for kind in (protocol.RULES, protocol.PRICES))
        rules = json.loads(wire)
        ledger = _run(rules, prices, weights)
        told = _progress(ledger) if rules["is_observed"] else b""
        forge(ledger)
        marks = (ledger.cash, ledger.equity)
        payload = protocol.pack_ledger(ledger.orders, marks, ledger.decisions, ledger.levels)
        nonce = json.loads(frames[protocol.JOB])["nonce"]
        targets = [ledger.signals, ledger.most_requested, ledger.most_affordable]
        end = {
            "nonce": nonce,
            "logs": [],
            "lost_output_bytes": 0,
            "unfilled": [[e.symbol, e.reason, e.first_day, e.last_day, e.n_days] for e in ledger.unfilled],
            "targets": targets,
            "error": None,
        }
        return told + protocol.frame(protocol.LEDGER, payload) + protocol.json_frame(protocol.FINISHED, end)

    return script


def _progress(ledger: Ledger) -> bytes:
    day = len(ledger.equity) // 2
    return protocol.json_frame(protocol.PROGRESS, {"day": day, "equity": ledger.equity[day], "lines": []})


def _run(wire: dict[str, Any], prices: bytes, weights: Sequence[float] | None) -> Ledger:
    days, _, bars = protocol.unpack_prices(prices)
    rules = Rules(
        BarSize(wire["bar_size"]),
        ExecutionTiming(wire["execution"]),
        wire["initial_capital"],
        wire["min_trade_value"],
        commission_from_wire(wire["commission"]),
        slippage_from_wire(wire["slippage"]),
        wire["delisting_return"],
        wire["max_orders"],
        wire["allow_short"],
        wire["max_gross"],
        wire["borrow_rate"],
        wire["margin_rate"],
    )
    market = Market(
        days,
        tuple(wire["symbols"]),
        bars,
        wire["last_period_complete"],
        dict(wire["delistings"]),
        protocol.dividends_by_day(wire["dividends"]),
    )
    return simulate(market, rules, lambda *_: weights)
