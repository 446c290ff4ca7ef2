import math
from collections import deque

from hqg_algorithms import Hold, Strategy, TargetWeights


class Ring:
    """A bounded window with running sums."""

    __slots__ = ("_items", "_sum", "size")

    def __init__(self, size):
        self.size = size
        self._items = deque(maxlen=size)
        self._sum = 0.0

    def push(self, value):
        if len(self._items) == self.size:
            self._sum -= self._items[0]
        self._items.append(value)
        self._sum += value
        return self

    def __len__(self):
        return len(self._items)

    def __iter__(self):
        return iter(self._items)

    def __getitem__(self, index):
        return self._items[index]

    def __bool__(self):
        return len(self) == self.size

    def __lt__(self, other):
        return self._sum / self.size < other._sum / other.size

    def __repr__(self):
        return f"{self.__class__.__name__}({self.size}, sum={self._sum:.2f})"

    @property
    def mean(self):
        return self._sum / len(self)


class Volatility:
    def __init__(self, half_life):
        self.__decay = 0.5 ** (1 / half_life)
        self.__variance = None

    def update(self, change):
        if self.__variance is None:
            self.__variance = change**2
        self.__variance = self.__decay * self.__variance + (1 - self.__decay) * change**2
        return self

    def __call__(self):
        return math.sqrt(252 * self.__variance)


class Vector:
    def __init__(self, *values):
        self.values = values

    def __add__(self, other):
        return Vector(*(a + b for a, b in zip(self.values, other.values)))

    def __mul__(self, factor):
        return Vector(*(factor * value for value in self.values))

    __rmul__ = __mul__

    def __eq__(self, other):
        return isinstance(other, Vector) and self.values == other.values

    def __hash__(self):
        return hash(self.values)


class HelperClasses(Strategy):
    universe = ["SPY"]

    def __init__(self):
        self._fast, self._slow = Ring(10), Ring(50)
        self._volatility = Volatility(half_life=20)
        self._previous = None

    def on_data(self, data, portfolio):
        close = data.close("SPY")
        if close is None:
            return Hold()
        if self._previous:
            self._volatility.update(close / self._previous - 1)
        self._previous = close
        self._fast.push(close)
        self._slow.push(close)
        if not self._slow:
            return Hold()
        target = min(1.0, 0.1 / max(self._volatility(), 1e-6))
        mix = 0.5 * (Vector(target, 0.0) + Vector(target, 1.0))
        if self._fast < self._slow:
            print(self._fast, self._slow.mean, mix == Vector(0, 0))
            return TargetWeights({})
        return TargetWeights({"SPY": mix.values[0]})
