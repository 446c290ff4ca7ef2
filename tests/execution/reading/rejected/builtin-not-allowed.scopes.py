"""Denied builtins in scopes where the name could mean something else but does not."""

called = None


def default(e=eval, *, f=exec):  # <-
    return e


def annotated(x: eval, y: "exec('1')") -> "list[open]":  # <-
    return x


@eval  # <-
def decorated():
    pass


class Aliases:
    __call__ = eval  # <-
    method = staticmethod(exec)  # <-
    input = input  # <-


class Derived(type):  # <-
    pass


def outer():
    eval = 1

    class Inner:
        eval = eval  # <-


def declared():
    global open
    open = 1
    return open  # <-


if called:
    compile = None
compile("1", "", "eval")  # <-
for eval in []:
    pass
eval("1")  # <-
match eval:  # <-
    case e:
        pass
[e("6*7") for e in [eval]]  # <-
[(exec("1"), (exec := 2)) for x in [1]]  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
