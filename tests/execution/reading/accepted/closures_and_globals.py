from hqg_algorithms import Hold, Strategy, TargetWeights

DAYS_SEEN = 0
_cache: dict[int, float] = {}
UNUSED = UNSET = None


def remember(price):
    global DAYS_SEEN
    DAYS_SEEN += 1
    _cache[DAYS_SEEN] = price
    return DAYS_SEEN


def make_crossover(fast, slow):
    was_above = None

    def crossed(values):
        nonlocal was_above
        if len(values) < slow:
            return 0
        above = sum(values[-fast:]) / fast > sum(values[-slow:]) / slow
        change = 0 if was_above in (None, above) else (1 if above else -1)
        was_above = above
        return change

    return crossed


class ClosuresAndGlobals(Strategy):
    universe = ["DIA"]
    instances = 0

    def __init__(self):
        ClosuresAndGlobals.instances += 1
        type(self).instances += 0
        self.crossed = make_crossover(10, 30)
        self.long = False

    def on_data(self, data, portfolio):
        price = data.close("DIA")
        if price is None:
            return Hold()
        today = remember(price)
        recent = [_cache[day] for day in range(max(1, today - 40), today + 1)]
        match self.crossed(recent):
            case 1:
                self.long = True
            case -1:
                self.long = False
            case _:
                return Hold()
        return TargetWeights({"DIA": float(self.long)})
