"""What user code may do: modules, names, attributes, syntax and sizes. Data only; src/execution/analysis applies it.

The analysis is there to help honest people early and to stop lazy attacks. It is no security boundary:
the box is. So every list errs on the side of ordinary strategies, and each group says why it exists.
"""

# --- Sizes. A parser and a compiler are targets too: each bound keeps one known slow input below a second. ---

MAX_SOURCE_BYTES = 100_000
"""UTF-8. A strategy of 2,500 long lines; a request may hold 1 MB because of its parameters."""

MAX_NODES = 20_000
"""Syntax nodes. 100 kB of ordinary code has about 14,000."""

MAX_DEPTH = 100
"""Nested syntax nodes. Ordinary code stays below 30."""

MAX_OPENING_BRACES = 5_000
"""Python 3.11 starts a parser for every replacement field of an f-string: 33,000 of them take a second."""

MAX_CODE_BLOCKS = 1_000
"""Functions, classes, lambdas and comprehensions: each is compiled on its own, 6,000 take a second."""

MAX_KEYWORDS = 500
"""Keyword arguments of one call or class pattern: the compiler compares them pairwise."""

MAX_UNCOMMON_NUMBERS = 500
"""Integers above 64 bits and imaginary numbers: they can be chosen to collide in the compiler's tables."""

MAX_COMBINING_MARKS = 30
"""In a row, as in Unicode's stream-safe text: Python sorts the marks of a name, and 40,000 of them take a minute."""

MAX_VISIBLE_NAMES = 200_000
"""Names of the functions around each block, over all blocks: the compiler copies that set for every block."""

MAX_WORK = 1_000_000
"""Characters of computed strings, queries and templates that are read: a short source can spell very many."""

MAX_FOLDED_CHARACTERS = 2_000
"""A longer string that is put together from literals counts as unknown."""

MAX_CHOICES = 200
"""Literal strings in a loop whose variable may serve as an attribute's name."""

MAX_PATH_CHARACTERS = 100
"""Dotted path of an imported thing; every path in these tables is shorter, and what is longer leads nowhere."""

MAX_CAPTURES = 50
"""Names bound by one match case: 10,000 of them take the compiler half a minute."""

MAX_COMPILED_NODES = 60_000
"""Nodes after `finally` blocks are copied once for each way to leave their `try`, as the compiler does."""

MAX_LINEAGE = 10
"""Own classes that a strategy is made of: looking up universe and on_data walks all the ways between them."""

MAX_CLASS_NAME_CHARACTERS = 100
"""The host passes the name on and shows it."""

MAX_MEANINGS = 8
"""Things that one name may be imported as: every use of the name is judged for each of them."""

MAX_VIOLATIONS = 50
"""More than a person reads at once; one more entry tells how many were left out."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- The interface that strategies are written against. ---

FRAMEWORK = "hqg_algorithms"

FRAMEWORK_NAMES = _words(
    "Strategy Cadence Slice Bar PortfolioView BarSize ExecutionTiming CallPhase Signal TargetWeights Hold Liquidate"
)
"""What hqg_algorithms offers, in 0.1.x and 1.0.x. Its parsing module is left out: it is a way to `ast`."""

PRELUDE_NAMES = FRAMEWORK_NAMES
"""What the older contract uses without importing it."""

PARAMETERS_MODULE = "config"
"""`import config` gives the request's parameters: plain data, so it may be passed around like any value."""

# --- Modules. None: every public name that is not denied below. A set: these names and nothing else, because the
# --- module also holds imported modules or functions that undo the rules here.

ALLOWED_MODULES: dict[str, frozenset[str] | None] = {
    "__future__": _words("annotations division generator_stop print_function absolute_import unicode_literals"),
    FRAMEWORK: FRAMEWORK_NAMES,
    f"{FRAMEWORK}.types": FRAMEWORK_NAMES - {"Strategy"},
    f"{FRAMEWORK}.strategy": frozenset({"Strategy"}),
    PARAMETERS_MODULE: None,
    # The standard library, as far as it computes and does not touch the machine.
    "abc": _words("ABC ABCMeta abstractmethod abstractclassmethod abstractstaticmethod abstractproperty"),
    "bisect": _words("bisect bisect_left bisect_right insort insort_left insort_right"),
    "calendar": _words(
        "monthrange isleap leapdays weekday month_name month_abbr day_name day_abbr Calendar monthcalendar "
        "MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY timegm"
    ),
    "cmath": None,
    "collections": _words("Counter OrderedDict ChainMap UserDict UserList defaultdict deque namedtuple"),
    "collections.abc": None,
    "contextlib": _words("contextmanager suppress nullcontext AbstractContextManager"),
    "copy": _words("copy deepcopy"),
    "dataclasses": _words(
        "dataclass field fields asdict astuple replace is_dataclass InitVar KW_ONLY MISSING Field FrozenInstanceError"
    ),
    "datetime": _words("date datetime time timedelta timezone tzinfo MINYEAR MAXYEAR UTC"),
    "decimal": None,
    # global_enum writes into other modules.
    "enum": _words(
        "Enum IntEnum StrEnum Flag IntFlag ReprEnum auto unique verify UNIQUE CONTINUOUS NAMED_FLAGS "
        "FlagBoundary STRICT CONFORM EJECT KEEP nonmember member"
    ),
    "fractions": _words("Fraction"),
    # update_wrapper and singledispatch read attributes by a name that is a run-time string; wraps has its own rule.
    "functools": _words("cache cached_property cmp_to_key lru_cache partial partialmethod reduce total_ordering wraps"),
    "heapq": _words("heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest"),
    "itertools": None,
    "json": _words("dumps loads JSONDecodeError"),
    "math": None,
    "numbers": _words("Number Complex Real Rational Integral"),
    # attrgetter, methodcaller and call are getattr and eval by another name.
    "operator": _words(
        "abs add and_ concat contains countOf eq floordiv ge getitem gt iadd imul index indexOf inv invert is_ "
        "is_not isub itemgetter itruediv le lshift lt matmul mod mul ne neg not_ or_ pos pow rshift sub truediv "
        "truth xor"
    ),
    "pprint": _words("pformat pprint"),
    "random": _words(
        "Random seed random uniform randint randrange choice choices sample shuffle gauss normalvariate "
        "lognormvariate expovariate betavariate gammavariate triangular vonmisesvariate paretovariate "
        "weibullvariate getrandbits getstate setstate binomialvariate"
    ),
    "re": _words(
        "compile match fullmatch search findall finditer split sub subn escape Match Pattern error "
        "I IGNORECASE M MULTILINE S DOTALL X VERBOSE A ASCII"
    ),
    "statistics": _words(
        "NormalDist StatisticsError correlation covariance fmean geometric_mean harmonic_mean linear_regression "
        "mean median median_grouped median_high median_low mode multimode pstdev pvariance quantiles stdev "
        "variance kde kde_random"
    ),
    # Formatter().get_field is getattr.
    "string": _words("ascii_letters ascii_lowercase ascii_uppercase digits punctuation whitespace capwords"),
    "textwrap": _words("dedent indent fill shorten wrap"),
    "types": _words("SimpleNamespace MappingProxyType"),
    # get_type_hints and ForwardRef evaluate strings.
    "typing": _words(
        "Any AnyStr Annotated Callable ChainMap ClassVar Collection Concatenate Container Counter DefaultDict "
        "Deque Dict Final FrozenSet Generator Generic Hashable Iterable Iterator KeysView List Literal "
        "LiteralString Mapping MutableMapping MutableSequence MutableSet NamedTuple Never NewType NoReturn "
        "NotRequired Optional OrderedDict ParamSpec Protocol Required Reversible Self Sequence Set Sized "
        "SupportsAbs SupportsFloat SupportsIndex SupportsInt SupportsRound Text Tuple Type TypeAlias TypeGuard "
        "TypeVar TypedDict TYPE_CHECKING Union Unpack ValuesView ItemsView assert_never cast final overload "
        "override runtime_checkable"
    ),
    "warnings": _words("catch_warnings filterwarnings resetwarnings simplefilter warn"),
    "zoneinfo": _words("ZoneInfo ZoneInfoNotFoundError"),
    # NumPy.
    "numpy": None,
    "numpy.exceptions": None,
    "numpy.fft": None,
    "numpy.lib": frozenset(),
    "numpy.lib.stride_tricks": _words("sliding_window_view"),  # as_strided reads memory out of bounds
    "numpy.linalg": None,
    "numpy.ma": None,
    "numpy.polynomial": None,
    "numpy.polynomial.chebyshev": None,
    "numpy.polynomial.hermite": None,
    "numpy.polynomial.legendre": None,
    "numpy.polynomial.polynomial": None,
    "numpy.random": None,
    "numpy.typing": None,
    # pandas.
    "pandas": None,
    "pandas.api": frozenset(),
    "pandas.api.indexers": None,
    "pandas.api.types": None,
    "pandas.arrays": None,
    "pandas.errors": None,
    "pandas.offsets": None,
    "pandas.options": frozenset(),
    "pandas.options.compute": None,
    "pandas.options.display": None,
    "pandas.options.future": None,
    "pandas.options.mode": None,
    "pandas.tseries": frozenset(),
    "pandas.tseries.frequencies": _words("to_offset infer_freq"),
    "pandas.tseries.holiday": _words(
        "AbstractHolidayCalendar USFederalHolidayCalendar Holiday GoodFriday EasterMonday USColumbusDay USLaborDay "
        "USMartinLutherKingJr USMemorialDay USPresidentsDay USThanksgivingDay nearest_workday next_monday "
        "sunday_to_monday next_workday previous_workday previous_friday weekend_to_monday after_nearest_workday "
        "before_nearest_workday next_monday_or_tuesday MO TU WE TH FR SA SU"
    ),
    "pandas.tseries.offsets": None,
    # SciPy.
    "scipy": frozenset(),
    "scipy.cluster": frozenset(),
    "scipy.cluster.hierarchy": _words(
        "linkage fcluster fclusterdata leaders single complete average weighted centroid median ward cophenet "
        "inconsistent maxinconsts maxdists maxRstat cut_tree optimal_leaf_ordering leaves_list to_tree dendrogram "
        "is_valid_linkage is_valid_im is_isomorphic is_monotonic num_obs_linkage correspond ClusterNode DisjointSet"
    ),
    "scipy.cluster.vq": _words("kmeans kmeans2 vq whiten ClusterError"),
    "scipy.constants": None,
    "scipy.fft": None,
    "scipy.integrate": None,
    "scipy.interpolate": None,
    "scipy.linalg": None,
    "scipy.ndimage": None,
    "scipy.optimize": None,
    "scipy.signal": None,
    "scipy.signal.windows": None,
    "scipy.sparse": None,
    "scipy.sparse.csgraph": None,
    "scipy.sparse.linalg": None,
    "scipy.spatial": None,
    "scipy.spatial.distance": _words(
        "braycurtis canberra cdist chebyshev cityblock correlation cosine dice directed_hausdorff euclidean hamming "
        "is_valid_dm is_valid_y jaccard jensenshannon mahalanobis minkowski num_obs_dm num_obs_y pdist "
        "rogerstanimoto russellrao seuclidean sokalsneath sqeuclidean squareform yule"
    ),
    "scipy.special": None,
    "scipy.stats": None,
    "scipy.stats.contingency": _words(
        "chi2_contingency expected_freq margins crosstab association relative_risk odds_ratio"
    ),
    "scipy.stats.distributions": None,
    "scipy.stats.mstats": None,
    "scipy.stats.qmc": None,
    # scikit-learn. The packages are open, single files (which re-export what they import) are lists.
    "sklearn": _words("clone set_config get_config config_context"),
    "sklearn.base": _words(
        "BaseEstimator BiclusterMixin ClassifierMixin ClusterMixin DensityMixin MetaEstimatorMixin MultiOutputMixin "
        "OneToOneFeatureMixin OutlierMixin RegressorMixin TransformerMixin clone is_classifier is_clusterer "
        "is_outlier_detector is_regressor"
    ),
    "sklearn.calibration": _words("CalibratedClassifierCV calibration_curve"),
    "sklearn.cluster": None,
    "sklearn.compose": None,
    "sklearn.covariance": None,
    "sklearn.cross_decomposition": None,
    "sklearn.decomposition": None,
    "sklearn.discriminant_analysis": _words("LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis"),
    "sklearn.dummy": _words("DummyClassifier DummyRegressor"),
    "sklearn.ensemble": None,
    "sklearn.exceptions": None,
    "sklearn.experimental": _words("enable_halving_search_cv enable_hist_gradient_boosting enable_iterative_imputer"),
    "sklearn.feature_selection": None,
    "sklearn.gaussian_process": None,
    "sklearn.gaussian_process.kernels": _words(
        "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Kernel Matern PairwiseKernel Product "
        "RBF RationalQuadratic Sum WhiteKernel"
    ),
    "sklearn.impute": None,
    "sklearn.inspection": _words("permutation_importance partial_dependence"),
    "sklearn.isotonic": _words("IsotonicRegression isotonic_regression check_increasing"),
    "sklearn.kernel_approximation": _words(
        "AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler"
    ),
    "sklearn.kernel_ridge": _words("KernelRidge"),
    "sklearn.linear_model": None,
    "sklearn.manifold": None,
    "sklearn.metrics": None,
    "sklearn.metrics.pairwise": _words(
        "additive_chi2_kernel chi2_kernel cosine_distances cosine_similarity euclidean_distances "
        "haversine_distances laplacian_kernel linear_kernel manhattan_distances nan_euclidean_distances "
        "paired_cosine_distances paired_distances paired_euclidean_distances paired_manhattan_distances "
        "pairwise_distances pairwise_distances_argmin pairwise_distances_argmin_min pairwise_kernels "
        "polynomial_kernel rbf_kernel sigmoid_kernel"
    ),
    "sklearn.mixture": None,
    "sklearn.model_selection": None,
    "sklearn.multiclass": _words("OneVsRestClassifier OneVsOneClassifier OutputCodeClassifier"),
    "sklearn.multioutput": _words("MultiOutputRegressor MultiOutputClassifier ClassifierChain RegressorChain"),
    "sklearn.naive_bayes": _words("BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB"),
    "sklearn.neighbors": None,
    "sklearn.neural_network": None,
    "sklearn.pipeline": _words("Pipeline FeatureUnion make_pipeline make_union"),
    "sklearn.preprocessing": None,
    "sklearn.random_projection": _words(
        "GaussianRandomProjection SparseRandomProjection johnson_lindenstrauss_min_dim"
    ),
    "sklearn.semi_supervised": None,
    "sklearn.svm": None,
    "sklearn.tree": None,
    "sklearn.utils": _words(
        "check_X_y check_array check_consistent_length check_random_state column_or_1d gen_batches indexable "
        "resample shuffle"
    ),
    "sklearn.utils.class_weight": _words("compute_class_weight compute_sample_weight"),
    "sklearn.utils.validation": _words("check_is_fitted check_array check_X_y check_random_state validate_data"),
}

_NO_FILES = "there are no files in a backtest; give numbers and lists as parameters and read them from `import config`"
_NO_NETWORK = "there is no network in a backtest; prices come as data, anything else as parameters from `import config`"
_NO_OTHERS = "a backtest is one process; loops and NumPy do the work"
_NO_CLOCK = "a backtest has no clock; the day is data's, and time between days is a difference of dates"
_NO_LOGGING = "use self.log(...): its lines are shown with the result"

INSTEAD: dict[str, str] = {
    **dict.fromkeys(("logging", "loguru", "structlog"), _NO_LOGGING),
    **dict.fromkeys(("time", "timeit", "sched"), _NO_CLOCK),
    "sys": "a backtest has no command line; parameters come from `import config`, and `raise` ends the run",
    **dict.fromkeys(
        ("argparse", "getopt", "click"), "a backtest has no command line; parameters come from `import config`"
    ),
    **dict.fromkeys(("dotenv", "getpass", "configparser"), "parameters come with the request: `import config`"),
    **dict.fromkeys(
        ("io", "pathlib", "shutil", "tempfile", "glob", "csv", "sqlite3", "pickle", "shelve", "gzip", "zipfile"),
        _NO_FILES,
    ),
    **dict.fromkeys(
        ("requests", "urllib", "http", "httpx", "aiohttp", "socket", "ssl", "ftplib", "smtplib", "websocket"),
        _NO_NETWORK,
    ),
    **dict.fromkeys(
        ("yfinance", "pandas_datareader", "alpaca", "ccxt", "quandl", "polygon"),
        "prices come as data: name the symbols in the strategy's universe",
    ),
    **dict.fromkeys(
        ("threading", "multiprocessing", "concurrent", "asyncio", "subprocess", "joblib", "signal"), _NO_OTHERS
    ),
    **dict.fromkeys(("secrets", "uuid"), "use random or numpy.random: with a seed of your own a run can be repeated"),
    **dict.fromkeys(("inspect", "importlib", "ctypes", "gc", "builtins", "ast"), "it reaches into the interpreter"),
    **dict.fromkeys(("matplotlib", "plotly", "seaborn"), "charts of the result are drawn by the studio and the report"),
    **dict.fromkeys(
        ("talib", "pandas_ta", "ta"), "it is not installed here; numpy, pandas and scipy compute indicators"
    ),
    **dict.fromkeys(
        ("torch", "tensorflow", "keras", "xgboost", "lightgbm", "catboost"), "it is not installed here; sklearn is"
    ),
    **dict.fromkeys(("statsmodels", "arch"), "it is not installed here; scipy.stats and numpy.linalg fit regressions"),
    **dict.fromkeys(("backtrader", "zipline", "vectorbt", "bt"), "a strategy derives from hqg_algorithms.Strategy"),
    "pytz": "use zoneinfo",
    "attr": "use dataclasses",
    "attrs": "use dataclasses",
}
"""Top-level module that may not be imported → what to do instead; it ends the message.

`os` is left out: the published interface shows its message word for word.
"""

DENIED_MEMBERS: dict[str, frozenset[str]] = {
    # Files, other modules' code, raw memory; bmat reads its caller's variables by name.
    "numpy": _words(
        "load loads save savez savez_compressed savetxt loadtxt genfromtxt fromfile fromregex memmap DataSource bmat "
        "seterrcall geterrcall show_config show_runtime info get_include lookfor source who byte_bounds "
        "char core ctypeslib distutils dtypes emath f2py matrixlib rec strings testing version compat"
    ),
    "numpy.fft": _words("helper"),
    "numpy.linalg": _words("linalg lapack_lite"),
    "numpy.ma": _words("core extras mrecords bench testutils timer_comparison fromflex"),
    "numpy.polynomial": _words("hermite_e laguerre polyutils"),
    "numpy.random": _words("bit_generator mtrand"),
    # Files, the clipboard, databases; eval runs code; set_option and its family have a rule of their own.
    "pandas": _words(
        "eval HDFStore ExcelFile ExcelWriter show_versions compat core io pandas plotting testing util annotations"
    ),
    "pandas.errors": _words("abc cow ctypes annotations"),
    "scipy.constants": _words("codata constants"),
    "scipy.integrate": _words("dop lsoda odepack quadpack vode"),
    "scipy.interpolate": _words("dfitpack fitpack fitpack2 interpnd interpolate ndgriddata polyint rbf"),
    "scipy.linalg": _words(
        "basic blas cython_blas cython_lapack decomp decomp_cholesky decomp_lu decomp_qr decomp_schur decomp_svd "
        "interpolative lapack matfuncs misc special_matrices"
    ),
    "scipy.ndimage": _words("filters fourier interpolation measurements morphology"),
    "scipy.optimize": _words(
        "cobyla cython_optimize elementwise lbfgsb linesearch minpack minpack2 moduleTNC nonlin optimize slsqp tnc "
        "zeros"
    ),
    "scipy.signal": _words(
        "bsplines filter_design fir_filter_design lti_conversion ltisys signaltools spectral spline waveforms wavelets"
    ),
    "scipy.signal.windows": _words("windows"),
    "scipy.sparse": _words(
        "load_npz save_npz base bsr compressed construct coo csc csr data dia dok extract lil sparsetools sputils"
    ),
    "scipy.sparse.linalg": _words("dsolve eigen interface isolve matfuncs"),
    "scipy.spatial": _words("ckdtree kdtree qhull transform"),
    "scipy.special": _words("add_newdocs basic cython_special orthogonal sf_error specfun spfun_stats"),
    "scipy.stats": _words("biasedurn kde morestats mstats_basic mstats_extras mvn sampling stats"),
    "sklearn.metrics": _words("cluster"),
    "sklearn.model_selection": _words("typing"),
    "sklearn.impute": _words("typing"),
    # Both write files or draw.
    "sklearn.tree": _words("export_graphviz plot_tree"),
}
"""Per module: modules it re-exports (a road to os and sys) and functions that reach beyond computing.

tests/execution/test_policy.py compares this with the packages installed there: no attribute of an allowed
module may resolve to a module that is not allowed itself.
"""

DENIED_MEMBERS_ANYWHERE = _words(
    "test LowLevelCallable show_config show_versions show_runtime import_module annotations "
    "np xpx pu warnings os sys builtins inspect ctypes subprocess importlib pickle socket shutil io platform threading "
    "multiprocessing functools operator codecs contextlib logging joblib tempfile pathlib get_namespace "
    "get_namespace_and_device"
)
"""Members that no third-party module may hand out, in versions newer than those tested here."""

THIRD_PARTY = frozenset({"numpy", "pandas", "scipy", "sklearn"})
"""Packages whose members are checked against the lists above, and whose objects are not the author's own."""

STAR_IMPORTS = frozenset({FRAMEWORK})
"""`from … import *` where the names are known; from anywhere else it could replace any name unseen."""

OPTION_PATTERN = r"(display|mode|future|compute)\.[a-z_.]+"
"""pandas options that may be set. "plotting.backend" imports any module by its name; patterns could match it."""

OPTION_FUNCTIONS = _words("set_option get_option reset_option option_context describe_option")

# --- Names. ---

DENIED_BUILTINS: dict[str, str] = {
    **dict.fromkeys(("eval", "exec", "compile"), "it runs code that was never checked; write the expression out"),
    "__import__": "it loads code that was never checked; use an import statement",
    "breakpoint": "there is no debugger in a backtest; print(...) and self.log(...) are shown with the result",
    "open": "there are no files in a backtest; give numbers and lists as parameters and read them from `import config`",
    "input": "there is no keyboard in a backtest; give parameters and read them from `import config`",
    **dict.fromkeys(("globals", "locals"), "it reaches into the interpreter; keep named values in a dict of your own"),
    "vars": "write vars(self), and only where it is read: dict(vars(self)), vars(self).items()",
    "dir": "it reaches into the interpreter; vars(self) has the attributes of self",
    "delattr": "use the del statement",
    **dict.fromkeys(("memoryview", "id"), "it reaches into the interpreter"),
    **dict.fromkeys(
        ("help", "exit", "quit", "copyright", "credits", "license"), "it belongs to the interactive prompt"
    ),
}
"""Denied wherever the name is loaded, not only where it is called: a value can be called later."""

CALL_ONLY_BUILTINS = _words("getattr hasattr setattr type super")
"""Ordinary when called in a checkable form, a way around every rule when passed around as a value."""

ALLOWED_DUNDER_NAMES = _words("__name__")
DESCRIPTIVE_DUNDERS = _words(
    "__all__ __author__ __authors__ __version__ __date__ __license__ __copyright__ __credits__ __email__ "
    "__maintainer__ __status__"
)
"""Constants by which people describe a file or a class."""

DEFINABLE_DUNDERS = _words(
    "__init__ __post_init__ __new__ __repr__ __str__ __format__ __bytes__ __hash__ __bool__ __len__ __iter__ "
    "__next__ __reversed__ __contains__ __getitem__ __setitem__ __delitem__ __missing__ __call__ __enter__ __exit__ "
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __int__ __float__ __complex__ __index__ __round__ __trunc__ __floor__ "
    "__ceil__ __abs__ __neg__ __pos__ __invert__ __add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__ "
    "__imul__ __truediv__ __rtruediv__ __itruediv__ __floordiv__ __rfloordiv__ __ifloordiv__ __mod__ __rmod__ "
    "__imod__ __divmod__ __rdivmod__ __pow__ __rpow__ __ipow__ __matmul__ __rmatmul__ __imatmul__ __and__ __rand__ "
    "__iand__ __or__ __ror__ __ior__ __xor__ __rxor__ __ixor__ __lshift__ __rlshift__ __rshift__ __rrshift__ "
    "__init_subclass__"
)
"""Arithmetic, comparison, containers and construction. Left out are the hooks by which a class lies about what it
is (__class__, __instancecheck__, __array_interface__), reads attributes by string (__getattr__, __match_args__),
or runs at a moment that the code does not show (__del__, __set_name__, __reduce__)."""

CLASS_DUNDERS = DEFINABLE_DUNDERS | {"__slots__"}

READABLE_DUNDERS = DEFINABLE_DUNDERS | _words("__name__ __qualname__ __members__ __version__")
"""Attributes that may be read or called on any object: `super().__init__()`, `type(x).__name__`."""

ENUM_NAMES = _words("_value_ _name_ _missing_ _ignore_ _order_ _generate_next_value_")
PUBLIC_UNDERSCORE_ATTRIBUTES = ENUM_NAMES | _words("_replace _asdict _fields _make _field_defaults")
"""Underscored, yet documented: of enum members and named tuples."""

# --- Attributes of any object. ---

DENIED_ATTRIBUTES: dict[str, str] = {
    **dict.fromkeys(
        (
            *("gi_frame", "gi_code", "gi_yieldfrom", "cr_frame", "cr_code", "cr_await", "cr_origin"),
            *("ag_frame", "ag_code", "ag_await", "tb_frame", "tb_next", "tb_lasti", "tb_lineno"),
            *("f_back", "f_builtins", "f_code", "f_globals", "f_lasti", "f_lineno", "f_locals", "f_trace"),
            *("co_code", "co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars"),
            *("func_globals", "func_code", "fget", "fset", "fdel", "mro"),
        ),
        "it reaches into the interpreter",
    ),
    **dict.fromkeys(
        ("ctypes", "cffi", "capsule", "ctypeslib", "as_strided", "memmap"), "it gives access to raw memory"
    ),
    **dict.fromkeys(
        (
            *("tofile", "fromfile", "dump", "dumps", "savetxt", "loadtxt", "genfromtxt", "fromregex"),
            *("savez", "savez_compressed", "export_graphviz"),
        ),
        "there are no files in a backtest",
    ),
    **dict.fromkeys(("plot", "from_custom_template"), "it loads modules or templates by name"),
    # An AttributeError carries the object it was raised for, a module too.
    "obj": "it hands out an object by a detour",
    "format_map": "it reads attributes by name; use an f-string",
}

DENIED_IO_METHODS = _words(
    "to_clipboard to_csv to_excel to_feather to_file to_gbq to_hdf to_html to_iceberg to_json to_latex to_markdown "
    "to_orc to_parquet to_pickle to_sql to_stata to_typst to_xarray to_xml read_clipboard read_csv read_excel "
    "read_feather read_fwf read_gbq read_hdf read_html read_iceberg read_json read_orc read_parquet read_pickle "
    "read_sas read_spss read_sql read_sql_query read_sql_table read_stata read_table read_xml"
)
"""pandas reads and writes files, databases and the clipboard through these."""

SAFE_TO_METHODS = _words(
    "to_bytes to_coo to_datetime to_datetime64 to_dict to_eng_string to_flat_index to_frame to_integral "
    "to_integral_exact to_integral_value to_julian_date to_list to_numeric to_numpy to_offset to_period "
    "to_pydatetime to_pytimedelta to_records to_series to_string to_timedelta to_timedelta64 to_timestamp "
    "to_tree to_tuples"
)
"""Conversions that stay in memory. Any other to_… or read_… must be a name that the source defines itself."""

DENIED_PRIVATE_ATTRIBUTES = _words(
    "_module _os _sys _getframe _pytesttester _log_handler _core _testing _config _evaluate _eval_type"
)
"""Private names that lead somewhere; the source defining one of the same name does not open it."""

OWN_ONLY_ATTRIBUTES = _words("style env register")
"""pandas' road to a template engine, and the method by which an abstract class claims foreign objects as its own;
allowed where the source itself defines the name."""

UNDEFINABLE_FIELDS = frozenset(
    {name for name, reason in DENIED_ATTRIBUTES.items() if reason == "it reaches into the interpreter"} | {"obj"}
)
"""Names that no class may give a field: a pattern reads the fields of its class from any object."""

QHULL_OPTIONS = r"\s*((Q[a-zA-Z0-9:.]+|Pp)(\s+|$))*"
"""Options of scipy.spatial's hulls; with others ("TI", "TO") it reads and writes files."""

DISPATCHING_METHODS = _words("agg aggregate apply transform pivot_table crosstab NamedAgg")
"""pandas calls a method whose name is given as a string: the string is checked like an attribute."""

DENIED_DISPATCHED = _words(
    "eval query plot hist boxplot pipe apply agg aggregate transform map style format info rolling groupby"
)
"""Methods that are fine when they stand in the source, and open further doors when they are called by name."""

QUERYING_METHODS = _words("query eval")
"""pandas evaluates a string: only literals without calls and attributes pass."""

CALLED_DIRECTLY = QUERYING_METHODS | DISPATCHING_METHODS | {"format"}
"""Methods whose arguments decide: taken as a value they could be given any."""

PLOTTING_METHODS = _words("hist boxplot")
"""Names that honest code uses for itself; pandas' own load any module through `backend`."""

# --- Strings. Some libraries turn strings into attribute access; these have no honest use as a value. ---

DENIED_STRINGS = DENIED_IO_METHODS | {name for name in DENIED_ATTRIBUTES if "_" in name} | {"qhull_options"}

SPECIAL_NAMES = _words(
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
"""Names that Python gives a meaning. As strings they serve to reach attributes behind the rules' back; a key of
the author's own ("__cash__") does not."""

# --- Characters that make code look like other code (CVE-2021-42574). ---

BIDIRECTIONAL_CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

# --- Syntax: the node types that may appear. ---

ALLOWED_SYNTAX = _words(
    "Module Expression FunctionDef ClassDef Return Delete Assign AugAssign AnnAssign For While If With Raise Try "
    "Assert Import ImportFrom Global Nonlocal Expr Pass Break Continue Match match_case MatchValue MatchSingleton "
    "MatchSequence MatchMapping MatchClass MatchStar MatchAs MatchOr BoolOp NamedExpr BinOp UnaryOp Lambda IfExp Dict "
    "Set ListComp SetComp DictComp GeneratorExp Yield YieldFrom Compare Call FormattedValue JoinedStr Constant "
    "Attribute Subscript Starred Name List Tuple Slice comprehension ExceptHandler arguments arg keyword alias "
    "withitem And Or Add Sub Mult MatMult Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv Invert Not UAdd USub "
    "Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn Load Store Del"
)
"""Left out: everything async (a backtest has nothing to wait for), except* (a type confusion in CPython up to 3.13,
CVE-2025-22153), and syntax newer than the box's Python."""

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
"""What to call syntax that is not allowed; the rest goes by its node's name."""

METACLASSES = frozenset({"abc.ABCMeta"})
"""Metaclasses a class may name, as dotted paths."""
