from hqg_algorithms import Hold, Strategy, TargetWeights


class NotReady(Exception):
    """Raised until the window is full."""

    def __init__(self, have, need):
        super().__init__(f"{have} of {need}")
        self.have, self.need = have, need


class CarefulErrors(Strategy):
    universe = ["SPY"]

    def __init__(self):
        self.values = []
        self.failures = 0

    def mean(self, need=20):
        if len(self.values) < need:
            raise NotReady(len(self.values), need)
        return sum(self.values[-need:]) / need

    def on_data(self, data, portfolio):
        try:
            self.values.append(float(data["SPY"].close))
            mean = self.mean()
            ratio = self.values[-1] / mean
        except KeyError:
            return Hold()
        except NotReady as error:
            if error.have == 1:
                self.log(f"waiting: {error} {error.args}")
            return Hold()
        except (ZeroDivisionError, TypeError, ValueError) as exc:
            self.failures += 1
            raise RuntimeError("prices make no sense") from exc
        else:
            assert ratio > 0, "a price is positive"
        finally:
            self.values = self.values[-100:]
        return TargetWeights({"SPY": min(1.0, max(0.0, ratio - 0.5))})
