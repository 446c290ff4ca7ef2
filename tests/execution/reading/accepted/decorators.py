import functools
from contextlib import contextmanager, suppress
from functools import cached_property, lru_cache, partial, wraps

from hqg_algorithms import Hold, Strategy, TargetWeights


def counted(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return function(*args, **kwargs)

    wrapper.calls = 0
    return wrapper


def at_least(minimum):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(values, *args):
            return function(values, *args) if len(values) >= minimum else None

        return wrapper

    return decorate


@at_least(20)
def average(values):
    return sum(values[-20:]) / 20


@lru_cache(maxsize=None)
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@contextmanager
def section(log, name):
    log(f"-- {name}")
    try:
        yield name
    finally:
        log(f"-- end of {name}")


class Decorators(Strategy):
    universe = ["SPY"]

    def __init__(self):
        self._closes = []

    @cached_property
    def levels(self):
        return [fibonacci(n) / 100 for n in range(1, 12)]

    @property
    def last(self):
        return self._closes[-1]

    @last.setter
    def last(self, value):
        self._closes.append(value)

    @staticmethod
    def clip(value, low=0.0, high=1.0):
        return max(low, min(high, value))

    @classmethod
    def symbol(cls):
        return cls.universe[0]

    @functools.cache
    def name(self):
        return type(self).__name__

    @counted
    def decide(self):
        mean = average(self._closes)
        if mean is None:
            return None
        half = partial(self.clip, high=0.5)
        return half(10 * (self.last / mean - 1))

    def on_data(self, data, portfolio):
        with suppress(KeyError):
            self.last = data[self.symbol()].close
        if not self._closes:
            return Hold()
        weight = self.decide()
        if weight is None:
            return Hold()
        if self.decide.calls % 100 == 0:
            with section(self.log, self.name()) as title:
                self.log(f"{title}: {self.levels[-1]}")
        return TargetWeights({"SPY": weight})
