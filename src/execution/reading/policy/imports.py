"""Modules that a strategy may import, the names it may take from them, and alternatives to what is denied."""

from src.execution.reading.policy.words import words

# --- The interface that strategies implement. ---

FRAMEWORK = "hqg_algorithms"

FRAMEWORK_NAMES = words(
    "Strategy Cadence Slice Bar PortfolioView BarSize ExecutionTiming CallPhase Signal TargetWeights Hold Liquidate"
)
"""The public names of hqg_algorithms 0.1.x and 1.0.x, without its parsing module, which gives access to `ast`."""

SIGNALS_MODULE = "hqg_backtester"

SIGNAL_NAMES = words("Weights Protected")
"""What a strategy may take from this project's own package. Its client is not in a box."""

PRELUDE_NAMES = FRAMEWORK_NAMES
"""Names that strategies of the older contract use without importing them."""

PARAMETERS_MODULE = "config"
"""`import config` gives the request's parameters. They are plain data and may be passed around like any value."""

# --- Modules. None: every public name that members.py does not deny. A set: only these names, because the module
# --- also holds imported modules or functions that would defeat these rules.

ALLOWED_MODULES: dict[str, frozenset[str] | None] = {
    "__future__": words("annotations division generator_stop print_function absolute_import unicode_literals"),
    FRAMEWORK: FRAMEWORK_NAMES,
    f"{FRAMEWORK}.types": FRAMEWORK_NAMES - {"Strategy"},
    f"{FRAMEWORK}.strategy": frozenset({"Strategy"}),
    SIGNALS_MODULE: SIGNAL_NAMES,
    f"{SIGNALS_MODULE}.signals": SIGNAL_NAMES,
    PARAMETERS_MODULE: None,
    # The parts of the standard library that compute and do not touch the machine.
    "abc": words("ABC ABCMeta abstractmethod abstractclassmethod abstractstaticmethod abstractproperty"),
    "bisect": words("bisect bisect_left bisect_right insort insort_left insort_right"),
    "calendar": words(
        "monthrange isleap leapdays weekday month_name month_abbr day_name day_abbr Calendar monthcalendar "
        "MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY timegm"
    ),
    "cmath": None,
    "collections": words("Counter OrderedDict ChainMap UserDict UserList defaultdict deque namedtuple"),
    "collections.abc": None,
    "contextlib": words("contextmanager suppress nullcontext AbstractContextManager"),
    "copy": words("copy deepcopy"),
    "dataclasses": words(
        "dataclass field fields asdict astuple replace is_dataclass InitVar KW_ONLY MISSING Field FrozenInstanceError"
    ),
    "datetime": words("date datetime time timedelta timezone tzinfo MINYEAR MAXYEAR UTC"),
    "decimal": None,
    # global_enum writes into other modules.
    "enum": words(
        "Enum IntEnum StrEnum Flag IntFlag ReprEnum auto unique verify UNIQUE CONTINUOUS NAMED_FLAGS "
        "FlagBoundary STRICT CONFORM EJECT KEEP nonmember member"
    ),
    "fractions": words("Fraction"),
    # update_wrapper and singledispatch read attributes by names computed at run time; wraps has its own rule.
    "functools": words("cache cached_property cmp_to_key lru_cache partial partialmethod reduce total_ordering wraps"),
    "heapq": words("heapify heappop heappush heappushpop heapreplace merge nlargest nsmallest"),
    "itertools": None,
    "json": words("dumps loads JSONDecodeError"),
    "math": None,
    "numbers": words("Number Complex Real Rational Integral"),
    # attrgetter, methodcaller and call are getattr and eval under other names.
    "operator": words(
        "abs add and_ concat contains countOf eq floordiv ge getitem gt iadd imul index indexOf inv invert is_ "
        "is_not isub itemgetter itruediv le lshift lt matmul mod mul ne neg not_ or_ pos pow rshift sub truediv "
        "truth xor"
    ),
    "pprint": words("pformat pprint"),
    "random": words(
        "Random seed random uniform randint randrange choice choices sample shuffle gauss normalvariate "
        "lognormvariate expovariate betavariate gammavariate triangular vonmisesvariate paretovariate "
        "weibullvariate getrandbits getstate setstate binomialvariate"
    ),
    "re": words(
        "compile match fullmatch search findall finditer split sub subn escape Match Pattern error "
        "I IGNORECASE M MULTILINE S DOTALL X VERBOSE A ASCII"
    ),
    "statistics": words(
        "NormalDist StatisticsError correlation covariance fmean geometric_mean harmonic_mean linear_regression "
        "mean median median_grouped median_high median_low mode multimode pstdev pvariance quantiles stdev "
        "variance kde kde_random"
    ),
    # Formatter().get_field is getattr.
    "string": words("ascii_letters ascii_lowercase ascii_uppercase digits punctuation whitespace capwords"),
    "textwrap": words("dedent indent fill shorten wrap"),
    "types": words("SimpleNamespace MappingProxyType"),
    # get_type_hints and ForwardRef evaluate strings.
    "typing": words(
        "Any AnyStr Annotated Callable ChainMap ClassVar Collection Concatenate Container Counter DefaultDict "
        "Deque Dict Final FrozenSet Generator Generic Hashable Iterable Iterator KeysView List Literal "
        "LiteralString Mapping MutableMapping MutableSequence MutableSet NamedTuple Never NewType NoReturn "
        "NotRequired Optional OrderedDict ParamSpec Protocol Required Reversible Self Sequence Set Sized "
        "SupportsAbs SupportsFloat SupportsIndex SupportsInt SupportsRound Text Tuple Type TypeAlias TypeGuard "
        "TypeVar TypedDict TYPE_CHECKING Union Unpack ValuesView ItemsView assert_never cast final overload "
        "override runtime_checkable"
    ),
    "warnings": words("catch_warnings filterwarnings resetwarnings simplefilter warn"),
    "zoneinfo": words("ZoneInfo ZoneInfoNotFoundError"),
    # NumPy.
    "numpy": None,
    "numpy.exceptions": None,
    "numpy.fft": None,
    "numpy.lib": frozenset(),
    "numpy.lib.stride_tricks": words("sliding_window_view"),  # as_strided reads memory out of bounds
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
    "pandas.tseries.frequencies": words("to_offset infer_freq"),
    "pandas.tseries.holiday": words(
        "AbstractHolidayCalendar USFederalHolidayCalendar Holiday GoodFriday EasterMonday USColumbusDay USLaborDay "
        "USMartinLutherKingJr USMemorialDay USPresidentsDay USThanksgivingDay nearest_workday next_monday "
        "sunday_to_monday next_workday previous_workday previous_friday weekend_to_monday after_nearest_workday "
        "before_nearest_workday next_monday_or_tuesday MO TU WE TH FR SA SU"
    ),
    "pandas.tseries.offsets": None,
    # SciPy.
    "scipy": frozenset(),
    "scipy.cluster": frozenset(),
    "scipy.cluster.hierarchy": words(
        "linkage fcluster fclusterdata leaders single complete average weighted centroid median ward cophenet "
        "inconsistent maxinconsts maxdists maxRstat cut_tree optimal_leaf_ordering leaves_list to_tree dendrogram "
        "is_valid_linkage is_valid_im is_isomorphic is_monotonic num_obs_linkage correspond ClusterNode DisjointSet"
    ),
    "scipy.cluster.vq": words("kmeans kmeans2 vq whiten ClusterError"),
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
    "scipy.spatial.distance": words(
        "braycurtis canberra cdist chebyshev cityblock correlation cosine dice directed_hausdorff euclidean hamming "
        "is_valid_dm is_valid_y jaccard jensenshannon mahalanobis minkowski num_obs_dm num_obs_y pdist "
        "rogerstanimoto russellrao seuclidean sokalsneath sqeuclidean squareform yule"
    ),
    "scipy.special": None,
    "scipy.stats": None,
    "scipy.stats.contingency": words(
        "chi2_contingency expected_freq margins crosstab association relative_risk odds_ratio"
    ),
    "scipy.stats.distributions": None,
    "scipy.stats.mstats": None,
    "scipy.stats.qmc": None,
    # scikit-learn. Packages are open; single files re-export their imports, so their names are listed.
    "sklearn": words("clone set_config get_config config_context"),
    "sklearn.base": words(
        "BaseEstimator BiclusterMixin ClassifierMixin ClusterMixin DensityMixin MetaEstimatorMixin MultiOutputMixin "
        "OneToOneFeatureMixin OutlierMixin RegressorMixin TransformerMixin clone is_classifier is_clusterer "
        "is_outlier_detector is_regressor"
    ),
    "sklearn.calibration": words("CalibratedClassifierCV calibration_curve"),
    "sklearn.cluster": None,
    "sklearn.compose": None,
    "sklearn.covariance": None,
    "sklearn.cross_decomposition": None,
    "sklearn.decomposition": None,
    "sklearn.discriminant_analysis": words("LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis"),
    "sklearn.dummy": words("DummyClassifier DummyRegressor"),
    "sklearn.ensemble": None,
    "sklearn.exceptions": None,
    "sklearn.experimental": words("enable_halving_search_cv enable_hist_gradient_boosting enable_iterative_imputer"),
    "sklearn.feature_selection": None,
    "sklearn.gaussian_process": None,
    "sklearn.gaussian_process.kernels": words(
        "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Kernel Matern PairwiseKernel Product "
        "RBF RationalQuadratic Sum WhiteKernel"
    ),
    "sklearn.impute": None,
    "sklearn.inspection": words("permutation_importance partial_dependence"),
    "sklearn.isotonic": words("IsotonicRegression isotonic_regression check_increasing"),
    "sklearn.kernel_approximation": words(
        "AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler"
    ),
    "sklearn.kernel_ridge": words("KernelRidge"),
    "sklearn.linear_model": None,
    "sklearn.manifold": None,
    "sklearn.metrics": None,
    "sklearn.metrics.pairwise": words(
        "additive_chi2_kernel chi2_kernel cosine_distances cosine_similarity euclidean_distances "
        "haversine_distances laplacian_kernel linear_kernel manhattan_distances nan_euclidean_distances "
        "paired_cosine_distances paired_distances paired_euclidean_distances paired_manhattan_distances "
        "pairwise_distances pairwise_distances_argmin pairwise_distances_argmin_min pairwise_kernels "
        "polynomial_kernel rbf_kernel sigmoid_kernel"
    ),
    "sklearn.mixture": None,
    "sklearn.model_selection": None,
    "sklearn.multiclass": words("OneVsRestClassifier OneVsOneClassifier OutputCodeClassifier"),
    "sklearn.multioutput": words("MultiOutputRegressor MultiOutputClassifier ClassifierChain RegressorChain"),
    "sklearn.naive_bayes": words("BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB"),
    "sklearn.neighbors": None,
    "sklearn.neural_network": None,
    "sklearn.pipeline": words("Pipeline FeatureUnion make_pipeline make_union"),
    "sklearn.preprocessing": None,
    "sklearn.random_projection": words("GaussianRandomProjection SparseRandomProjection johnson_lindenstrauss_min_dim"),
    "sklearn.semi_supervised": None,
    "sklearn.svm": None,
    "sklearn.tree": None,
    "sklearn.utils": words(
        "check_X_y check_array check_consistent_length check_random_state column_or_1d gen_batches indexable "
        "resample shuffle"
    ),
    "sklearn.utils.class_weight": words("compute_class_weight compute_sample_weight"),
    "sklearn.utils.validation": words("check_is_fitted check_array check_X_y check_random_state validate_data"),
    # TA-Lib.
    "talib": None,
    "talib.abstract": None,
    "talib.stream": None,
}

_NO_FILES = "a backtest has no files; pass numbers and lists as parameters and read them with `import config`"
_NO_NETWORK = "a backtest has no network; prices arrive as data, everything else as parameters with `import config`"
_NO_CONCURRENCY = "a backtest runs in one process; use loops and NumPy"
_NO_CLOCK = "a backtest has no clock; data.time and data.date are the bar's"
_NO_LOGGING = "use self.log(...); its lines appear with the result"

INSTEAD: dict[str, str] = {
    **dict.fromkeys(("logging", "loguru", "structlog"), _NO_LOGGING),
    **dict.fromkeys(("time", "timeit", "sched"), _NO_CLOCK),
    "sys": "a backtest has no command line; read parameters with `import config`, and end the run with `raise`",
    **dict.fromkeys(
        ("argparse", "getopt", "click"), "a backtest has no command line; read parameters with `import config`"
    ),
    **dict.fromkeys(
        ("dotenv", "getpass", "configparser"), "parameters come with the request; read them with `import config`"
    ),
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
        "prices arrive as data; name the symbols in the strategy's universe",
    ),
    **dict.fromkeys(
        ("threading", "multiprocessing", "concurrent", "asyncio", "subprocess", "joblib", "signal"), _NO_CONCURRENCY
    ),
    **dict.fromkeys(("secrets", "uuid"), "use random or numpy.random, with a seed to make the run repeatable"),
    **dict.fromkeys(("inspect", "importlib", "ctypes", "gc", "builtins", "ast"), "it reaches into the interpreter"),
    **dict.fromkeys(("matplotlib", "plotly", "seaborn"), "the studio and the report chart the result"),
    **dict.fromkeys(("pandas_ta", "ta"), "it is not installed here; use talib"),
    **dict.fromkeys(
        ("torch", "tensorflow", "keras", "xgboost", "lightgbm", "catboost"), "it is not installed here; use sklearn"
    ),
    **dict.fromkeys(
        ("statsmodels", "arch"), "it is not installed here; fit regressions with scipy.stats or numpy.linalg"
    ),
    **dict.fromkeys(
        ("backtrader", "zipline", "vectorbt", "bt"), "derive the strategy from hqg_algorithms.Strategy instead"
    ),
    "pytz": "use zoneinfo",
    "attr": "use dataclasses",
    "attrs": "use dataclasses",
}
"""Top-level module that may not be imported → what to do instead, as the end of the message.

`os` is left out because the published interface shows its message word for word.
"""

STAR_IMPORTS = frozenset({FRAMEWORK})
"""Modules for `from … import *`: their names are known. From any other module it could replace a name unnoticed."""
