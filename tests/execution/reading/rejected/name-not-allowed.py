"""Names that Python or a restricted interpreter's guards reserve."""

import math as _getattr_  # <-

builtin = __builtins__  # <-
importer = [__import__]  # <-
loader = __loader__  # <-
where = __file__  # <-
__builtins__ = {}  # <-
__import__ = None  # <-
_getitem_ = None  # <-
print(__class__=1)  # <-


def __getattr__(name):  # <-
    pass


def _write_(a, _getattr_, /):  # <-
    return lambda _print_: 1  # <-


class Hooks:
    __class_getitem__ = None  # <-
    __match_args__ = ("__globals__",)  # <-
    __array_interface__ = {}  # <-
    __annotations__ = {}  # <-
    __module__ = "os"  # <-
    __class__ = int  # <-

    def __getattr__(self, name):  # <-
        pass

    def __setattr__(self, name, value):  # <-
        pass

    def __set_name__(self, owner, name):  # <-
        pass

    def __instancecheck__(cls, other):  # <-
        pass

    def __reduce__(self):  # <-
        pass

    def __del__(self):  # <-
        pass


class Fields:
    gi_frame: object  # <-
    f_builtins: object = None  # <-
    obj: object  # <-


try:
    pass
except Exception as _getattr_:  # <-
    pass
for _apply_ in []:  # <-
    pass
match 1:
    case _getattr_:  # <-
        pass
[1 for _getiter_ in []]  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
