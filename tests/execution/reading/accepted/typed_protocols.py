from typing import Callable, Dict, Generic, Iterable, List, NewType, Optional, Protocol, Sequence, Tuple, TypedDict, TypeVar, cast, overload, runtime_checkable

from hqg_algorithms import BarSize, Cadence, PortfolioView, Signal, Slice, Strategy, TargetWeights, Hold

Symbol = NewType("Symbol", str)
K = TypeVar("K")
V = TypeVar("V", int, float)
Weights = Dict[str, float]
Scorer = Callable[[Sequence[float]], float]


class Settings(TypedDict, total=False):
    lookback: int
    top: int


@runtime_checkable
class Sizer(Protocol):
    def size(self, scores: Weights) -> Weights: ...


class Equal:
    def size(self, scores: Weights) -> Weights:
        return {s: 1 / len(scores) for s in scores}


class Table(Generic[K, V]):
    def __init__(self) -> None:
        self._rows: Dict[K, List[V]] = {}

    def add(self, key: K, value: V) -> None:
        self._rows.setdefault(key, []).append(value)

    @overload
    def column(self, key: K) -> List[V]: ...
    @overload
    def column(self, key: K, last: int) -> List[V]: ...
    def column(self, key, last=0):
        return self._rows.get(key, [])[-last:]


class TypedProtocols(Strategy):
    universe: List[str] = ["SPY", "EFA", "AGG"]
    cadence: Cadence = Cadence(bar_size=BarSize.WEEKLY)
    settings: Settings = {"lookback": 26, "top": 1}

    def __init__(self) -> None:
        self.table: Table[str, float] = Table()
        self.sizer: Optional[Sizer] = Equal()
        self.scorers: Tuple[Scorer, ...] = (lambda c: c[-1] / c[0] - 1, lambda c: -max(c) / c[-1])

    def best(self, scores: Iterable[Tuple[str, float]]) -> Weights:
        ordered = sorted(scores, key=lambda pair: pair[1], reverse=True)
        return dict(ordered[: self.settings["top"]])

    def on_data(self, data: Slice, portfolio: PortfolioView) -> Signal:
        for symbol in self.universe:
            close = data.close(Symbol(symbol))
            if close is not None:
                self.table.add(symbol, cast(float, close))
        columns = {s: self.table.column(s, self.settings["lookback"]) for s in self.universe}
        if any(len(column) < self.settings["lookback"] for column in columns.values()):
            return Hold()
        scores = [(s, sum(scorer(c) for scorer in self.scorers)) for s, c in columns.items()]
        assert isinstance(self.sizer, Sizer)
        return TargetWeights(self.sizer.size(self.best(scores)))
