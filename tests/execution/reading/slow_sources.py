"""Sources designed to be slow to read: one family per idea, each in any size."""

from collections.abc import Callable

Family = Callable[[int], str]


def _repeated(unit: str, size_bytes: int) -> str:
    return unit * max(1, size_bytes // len(unit.encode()))


def _numbered(form: str, size_bytes: int, separator: str = "") -> str:
    count = max(1, size_bytes // (len(form) + len(separator) + 2))
    return separator.join(form.format(number) for number in range(count))


def _nested_functions(depth: int) -> str:
    return "".join(" " * level + f"def f{level}():\n" for level in range(depth)) + " " * depth


def _in_nested_blocks(block: str, depth: int, body: str) -> str:
    return "def f():\n" + "".join(" " * (level + 1) + block for level in range(depth)) + " " * (depth + 1) + body


FAMILIES: dict[str, Family] = {
    # Names known from loops and constants.
    "a loop over literals, its variable used often": lambda size: (
        f"for n in ({_repeated(chr(39) + 'a' + chr(39) + ',', size // 3)}):\n  getattr(x, n)\n"
        + _repeated("getattr(x, n)\n", size * 2 // 3)
    ),
    "a short loop over literals, its variable used often": lambda size: (
        "for n in (" + "'a'," * 200 + "):\n  pass\n" + _repeated("getattr(x, n)\n", size)
    ),
    "one tuple of literals, many loops": lambda size: (
        f"T = ({_repeated(chr(39) + 'a' + chr(39) + ',', size // 3)})\n"
        + _numbered("for n{} in T: pass\n", size * 2 // 3)
    ),
    "many tuples of literals": lambda size: _repeated("for n in ('a', 'b', 'c'): getattr(x, n)\n", size),
    # Computed strings.
    "nested joins": lambda size: _repeated("x = " + "''.join([" * 24 + "'a'" + "])" * 24 + "\n", size),
    "nested joins of many": lambda size: _repeated(
        "x = " + ("''.join([" + "'a'," * 40) * 24 + "'a'" + "])" * 24 + "\n", size
    ),
    "one long constant joined": lambda size: f"A = '{'a' * 1_999}'\nx = ''.join([{_repeated('A,', size)}])\n",
    "one long constant in many sums": lambda size: f"A = '{'__a' * 660}'\n" + _numbered("A + '{}'\n", size),
    "one long constant replaced": lambda size: f"A = '{'a' * 200}'\n" + _numbered("A.replace('a', 'b{}')[:0]\n", size),
    "sums of sums": lambda size: "a0 = 'a'\n" + _numbered("a{0} = a{0} + a{0}\n", size),
    "constants made of constants": lambda size: (
        "a0 = 'a'\n" + "".join(f"a{number} = a{number - 1} + 'a'\n" for number in range(1, size // 20))
    ),
    "chains of sums": lambda size: _repeated("x = 'a'" + " + 'a'" * 90 + "\n", size),
    "chains of slices": lambda size: _repeated("x = 'a'" + "[:]" * 90 + "\n", size),
    "escaped characters": lambda size: _repeated("'\\u0041\\x41\\d';", size) + "\n",
    "named characters": lambda size: f"'{_repeated(chr(92) + 'N{DIGIT ONE}', size)}'\n",
    "dots and underscores": lambda size: f"'{_repeated('.__a', size)}'\n",
    "dots and spaces": lambda size: f"'__{_repeated('. ', size)}'\n",
    "fields of one f-string": lambda size: f"x = f'{_repeated('{a}', min(size, 14_000))}'\n",
    "many f-strings": lambda size: _repeated("f'{a:{b:{c}}}';", size) + "\n",
    # Strings that are read as code.
    "one query asked often": lambda size: f"Q = '{'a+' * 900}a'\n" + _repeated("d.query(Q)\n", size),
    "many queries from one constant": lambda size: f"Q = '{'a+' * 900}'\n" + _numbered("d.query(Q + '{}')\n", size),
    "many queries": lambda size: _repeated("d.query('a > 1 and b in [1, 2]')\n", size),
    "one template used often": lambda size: f"T = '{'{0:' * 400}{'}' * 400}'\n" + _repeated("T.format\n", size),
    "many templates from one constant": lambda size: (
        f"T = '{{0{'[' * 1_900}'\n" + _numbered("(T + '{}').format\n", size)
    ),
    "annotations as strings": lambda size: _numbered("a{}: 'b | c'\n", size),
    "arguments with annotations as strings": lambda size: (
        f"def f({_numbered('a{}: ' + repr('b|c'), size, ',')}): pass\n"
    ),
    "long annotations": lambda size: _repeated(f"a: '{'b|' * 400}c'\n", size),
    "aggregations in a list": lambda size: f"s.agg([{_repeated(repr('mean') + ',', size)}])\n",
    "one variable aggregated often": lambda size: _repeated("n = a\n", size // 2) + _repeated("s.agg(n)\n", size // 2),
    "conditional aggregations": lambda size: _repeated("s.agg(" + "a if b else " * 80 + "c)\n", size),
    "one list of aggregations used often": lambda size: (
        f"F = [{_repeated(repr('mean') + ',', size // 2)}]\n" + _repeated("s.agg(F)\n", size // 2)
    ),
    "one list of fields used often": lambda size: (
        "from collections import namedtuple\n"
        + f"F = [{_repeated(repr('a') + ',', size // 2)}]\n"
        + _repeated("namedtuple('P', F)\n", size // 2)
    ),
    "one namespace filled often": lambda size: (
        "from types import SimpleNamespace\n" + _repeated("d = {'a': 1}\nSimpleNamespace(**d)\n", size)
    ),
    "options of hulls": lambda size: _repeated(f"f(qhull_options='{'Qa' * 400}!')\n", size),
    "templates of one class": lambda size: (
        "class A:\n T = 'a'\n def m(self):\n  x = [" + _repeated("self.T.format,", size) + "]\n"
    ),
    "own methods that trust themselves": lambda size: (
        "class A:\n def query(self): self.query(q)\n"
        + _repeated("class B(A):\n def m(self): self.query(q)\n", size // 2)
        + _repeated("B.query(x)\n", size // 2)
    ),
    "variables that are given types": lambda size: (
        _repeated("t = type(x)\n", size // 2) + _repeated("t(a, b, c)\n", size // 2)
    ),
    "objects of libraries": lambda size: (
        "import pandas as pd\nclass A: _x = 1\n"
        + _repeated("d = pd.DataFrame()\n", size // 2)
        + _repeated("d._x\n", size // 2)
    ),
    # Names, scopes, imports.
    "names in deep scopes": lambda size: _nested_functions(90) + f"x = [{_numbered('q{}', size, ',')}]\n",
    "attributes in deep scopes": lambda size: _nested_functions(90) + f"x = [{_numbered('q{}.a', size, ',')}]\n",
    "one name in a deep scope": lambda size: "q = 1\n" + _nested_functions(90) + f"x = [{_repeated('q,', size)}]\n",
    "many names and many functions": lambda size: (
        f"def f():\n {_numbered('a{}', size // 2, '=')} = 0\n" + _repeated(" def g(): pass\n", size // 2)
    ),
    "many names through many lambdas": lambda size: (
        f"def f():\n {_numbered('a{}', size // 2, '=')} = 0\n {'lambda: ' * 80}({_numbered('a{}', size // 2, ',')})\n"
    ),
    "many globals and many functions": lambda size: (
        f"def f():\n global {_numbered('a{}', size // 2, ',')}\n" + _repeated(" def g(): pass\n", size // 2)
    ),
    "classes of one name": lambda size: "class A(Strategy): pass\n" + _repeated("class A(A, A, A, A, A): pass\n", size),
    "bases of one class": lambda size: (
        _numbered("class A{}(Strategy): pass\n", size // 2) + f"class B({_numbered('A{}', size // 4, ',')}): pass\n"
    ),
    "a chain of aliases": lambda size: (
        "import numpy as a0\n" + "".join(f"a{n} = a{n - 1}.{'b' * 30}\n" for n in range(1, size // 45))
    ),
    "one name renamed": lambda size: "from numpy import x as a\n" + _repeated("a = a.b\n", size),
    "imports of a long name": lambda size: (
        "".join(f"from {'a' * (size // 14)}{n} import x\n" for n in range(6)) + _repeated("x.y = 1\n", size // 2)
    ),
    "imported names": lambda size: f"from numpy import {_numbered('a{}', size, ',')}\n",
    "star imports": lambda size: _repeated("from hqg_algorithms import *\n", size),
    "slots given many names": lambda size: (
        f"class A:\n {_repeated('__slots__ = ', size // 2)}({_repeated('1,', size // 2)})\n"
    ),
    "decorators": lambda size: "from functools import wraps\n" + _repeated("@wraps(f)\n", size) + "def f(): pass\n",
    "violations": lambda size: _repeated("eval\n", size),
    "violations beside foreign letters": lambda size: f"x = ['é',{_repeated('eval,', size)}]\n",
    # Syntax.
    "attribute chains": lambda size: _repeated("x" + ".a" * 90 + "\n", size),
    "attribute chains of imported things": lambda size: (
        "from numpy import a\n" + _repeated("a" + ".b" * 90 + "\n", size)
    ),
    "elif ladders": lambda size: _repeated("if a:\n pass\n" + "elif a:\n pass\n" * 40, size),
    "nested comprehensions": lambda size: _repeated("[" * 20 + "a" + " for a in b]" * 20 + "\n", size),
    "nested lambdas": lambda size: _repeated("lambda: " * 30 + "a\n", size),
    "cases": lambda size: "match x:\n" + _repeated(" case 1: a\n", size),
    "keywords of a class pattern": lambda size: f"match x:\n case A({_numbered('a{}=1', size, ',')}): pass\n",
    "keywords of calls": lambda size: _repeated(f"f({','.join(f'a{n}=1' for n in range(400))})\n", size),
    "mapping patterns": lambda size: f"match x:\n case {{{_numbered('{}: 1', size, ',')}}}: pass\n",
    "comparisons": lambda size: f"x = {_repeated('a < ', size)}a\n",
    "targets": lambda size: _repeated("a = ", size) + "x.y.z\n",
    "returns inside of with": lambda size: _in_nested_blocks("with a:\n", 18, _repeated("return;", size) + "return\n"),
    "handlers": lambda size: _repeated("try: a\nexcept a as b: a\n", size),
    "warnings of the compiler": lambda size: _repeated("a is 1; 1(); '\\d';", size) + "\n",
    # Numbers and letters.
    "integers that collide": lambda size: f"x in {{{','.join(hex((2**61 - 1) * n) for n in range(1, size // 20))}}}\n",
    "one huge integer divided": lambda size: f"x = 0x{'f' * (size * 2 // 3)} // 0x{'e' * (size // 3)}\n",
    "combining marks": lambda size: f"e{_repeated(chr(0x301) + chr(0x316), size)}\n",
    "letters that stand for many": lambda size: _repeated(chr(0xFDFA), size) + "\n",
    "names in other letters": lambda size: _repeated("ª\n", size),
}
"""Idea → function from a size in bytes to a source of about that size, without a strategy."""
