"""Names, special names, characters and syntax that a strategy may use."""

from src.execution.reading.policy.words import words

DENIED_BUILTINS: dict[str, str] = {
    **dict.fromkeys(("eval", "exec", "compile"), "it runs unchecked code; write the expression out"),
    "__import__": "it loads unchecked code; use an import statement",
    "breakpoint": "a backtest has no debugger; print(...) and self.log(...) appear with the result",
    "open": "a backtest has no files; pass numbers and lists as parameters and read them with `import config`",
    "input": "a backtest has no keyboard; pass parameters and read them with `import config`",
    **dict.fromkeys(("globals", "locals"), "it reaches into the interpreter; keep named values in your own dict"),
    "vars": "write vars(self), and only to read it: dict(vars(self)), vars(self).items()",
    "dir": "it reaches into the interpreter; vars(self) has the attributes of self",
    "delattr": "use the del statement",
    **dict.fromkeys(("memoryview", "id"), "it reaches into the interpreter"),
    **dict.fromkeys(
        ("help", "exit", "quit", "copyright", "credits", "license"), "it belongs to the interactive prompt"
    ),
}
"""Denied wherever the name is loaded, not only where it is called, because a value can be called later."""

CALL_ONLY_BUILTINS = words("getattr hasattr setattr type super")
"""Safe when called in a form that can be checked; passed around as values, they would bypass every rule."""

ALLOWED_DUNDER_NAMES = words("__name__")
DESCRIPTIVE_DUNDERS = words(
    "__all__ __author__ __authors__ __version__ __date__ __license__ __copyright__ __credits__ __email__ "
    "__maintainer__ __status__"
)
"""Constants that describe a file or a class."""

DEFINABLE_DUNDERS = words(
    "__init__ __post_init__ __new__ __repr__ __str__ __format__ __bytes__ __hash__ __bool__ __len__ __iter__ "
    "__next__ __reversed__ __contains__ __getitem__ __setitem__ __delitem__ __missing__ __call__ __enter__ __exit__ "
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __int__ __float__ __complex__ __index__ __round__ __trunc__ __floor__ "
    "__ceil__ __abs__ __neg__ __pos__ __invert__ __add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__ "
    "__imul__ __truediv__ __rtruediv__ __itruediv__ __floordiv__ __rfloordiv__ __ifloordiv__ __mod__ __rmod__ "
    "__imod__ __divmod__ __rdivmod__ __pow__ __rpow__ __ipow__ __matmul__ __rmatmul__ __imatmul__ __and__ __rand__ "
    "__iand__ __or__ __ror__ __ior__ __xor__ __rxor__ __ixor__ __lshift__ __rlshift__ __rshift__ __rrshift__ "
    "__init_subclass__"
)
"""Arithmetic, comparison, containers and construction. Left out are the hooks by which a class lies about its type
(__class__, __instancecheck__, __array_interface__), reads attributes by string (__getattr__, __match_args__),
or runs at a time that the code does not show (__del__, __set_name__, __reduce__)."""

CLASS_DUNDERS = DEFINABLE_DUNDERS | {"__slots__"}

READABLE_DUNDERS = DEFINABLE_DUNDERS | words("__name__ __qualname__ __members__ __version__")
"""Attributes that may be read or called on any object: `super().__init__()`, `type(x).__name__`."""

ENUM_NAMES = words("_value_ _name_ _missing_ _ignore_ _order_ _generate_next_value_")
PUBLIC_UNDERSCORE_ATTRIBUTES = ENUM_NAMES | words("_replace _asdict _fields _make _field_defaults")
"""Documented names of enum members and named tuples that start with an underscore."""

SPECIAL_NAMES = words(
    "__abstractmethods__ __annotate__ __annotations__ __array__ __array_function__ __array_interface__ "
    "__array_struct__ __array_ufunc__ __base__ __bases__ __build_class__ __builtins__ __cached__ __cause__ "
    "__class__ __class_getitem__ __closure__ __code__ __context__ __copy__ __debug__ __deepcopy__ __defaults__ "
    "__del__ __delattr__ __delete__ __dict__ __dictoffset__ __dir__ __doc__ __file__ __flags__ __func__ __get__ "
    "__getattr__ __getattribute__ __getinitargs__ __getnewargs__ __getnewargs_ex__ __getstate__ __globals__ "
    "__import__ __init_subclass__ __instancecheck__ __itemsize__ __kwdefaults__ __loader__ __match_args__ "
    "__module__ __mro__ __mro_entries__ __objclass__ __package__ __path__ __prepare__ __pyx_capi__ __reduce__ "
    "__reduce_ex__ __self__ __set__ __set_name__ __setattr__ __setstate__ __signature__ __sizeof__ __slots__ "
    "__spec__ __subclasscheck__ __subclasses__ __subclasshook__ __suppress_context__ __text_signature__ "
    "__traceback__ __weakref__ __weakrefoffset__ __wrapped__"
)
"""Names that have a meaning in Python. As strings they can reach attributes that the rules would miss; the author's
own keys ("__cash__") cannot."""

# --- Characters that make code look like other code (CVE-2021-42574). ---

BIDIRECTIONAL_CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

# --- Syntax: the node types that may appear. ---

ALLOWED_SYNTAX = words(
    "Module Expression FunctionDef ClassDef Return Delete Assign AugAssign AnnAssign For While If With Raise Try "
    "Assert Import ImportFrom Global Nonlocal Expr Pass Break Continue Match match_case MatchValue MatchSingleton "
    "MatchSequence MatchMapping MatchClass MatchStar MatchAs MatchOr BoolOp NamedExpr BinOp UnaryOp Lambda IfExp Dict "
    "Set ListComp SetComp DictComp GeneratorExp Yield YieldFrom Compare Call FormattedValue JoinedStr Constant "
    "Attribute Subscript Starred Name List Tuple Slice comprehension ExceptHandler arguments arg keyword alias "
    "withitem And Or Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv Invert Not UAdd USub "
    "Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn Load Store Del"
)
"""Without async (a backtest has nothing to wait for), except* (type confusion in CPython up to 3.13,
CVE-2025-22153) and syntax newer than the box's Python."""

SYNTAX_NAMES = {
    "AsyncFunctionDef": "async def",
    "AsyncFor": "async for",
    "AsyncWith": "async with",
    "Await": "await",
    "TryStar": "except*",
    "TypeAlias": "the type statement",
    "TypeVar": "type parameters in brackets",
    "ParamSpec": "type parameters in brackets",
    "TypeVarTuple": "type parameters in brackets",
    "TemplateStr": "template strings",
}
"""Node type → how messages name the syntax; other nodes go by their type's name."""

METACLASSES = frozenset({"abc.ABCMeta"})
"""Dotted paths of the metaclasses that a class may name."""
