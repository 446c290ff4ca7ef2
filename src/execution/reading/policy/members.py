"""Members of modules and attributes of objects that a strategy may not use."""

from src.execution.reading.policy.words import words

DENIED_MEMBERS: dict[str, frozenset[str]] = {
    # Files, other modules' code and raw memory. bmat reads its caller's variables by name.
    "numpy": words(
        "load loads save savez savez_compressed savetxt loadtxt genfromtxt fromfile fromregex memmap DataSource bmat "
        "seterrcall geterrcall show_config show_runtime info get_include lookfor source who byte_bounds "
        "char core ctypeslib distutils dtypes emath f2py matrixlib rec strings testing version compat"
    ),
    "numpy.fft": words("helper"),
    "numpy.linalg": words("linalg lapack_lite"),
    "numpy.ma": words("core extras mrecords bench testutils timer_comparison fromflex"),
    "numpy.polynomial": words("hermite_e laguerre polyutils"),
    "numpy.random": words("bit_generator mtrand"),
    # Files, the clipboard and databases. eval runs code. set_option and its relatives have their own rule.
    "pandas": words(
        "eval HDFStore ExcelFile ExcelWriter show_versions compat core io pandas plotting testing util annotations"
    ),
    "pandas.errors": words("abc cow ctypes annotations"),
    "scipy.constants": words("codata constants"),
    "scipy.integrate": words("dop lsoda odepack quadpack vode"),
    "scipy.interpolate": words("dfitpack fitpack fitpack2 interpnd interpolate ndgriddata polyint rbf"),
    "scipy.linalg": words(
        "basic blas cython_blas cython_lapack decomp decomp_cholesky decomp_lu decomp_qr decomp_schur decomp_svd "
        "interpolative lapack matfuncs misc special_matrices"
    ),
    "scipy.ndimage": words("filters fourier interpolation measurements morphology"),
    "scipy.optimize": words(
        "cobyla cython_optimize elementwise lbfgsb linesearch minpack minpack2 moduleTNC nonlin optimize slsqp tnc "
        "zeros"
    ),
    "scipy.signal": words(
        "bsplines filter_design fir_filter_design lti_conversion ltisys signaltools spectral spline waveforms wavelets"
    ),
    "scipy.signal.windows": words("windows"),
    "scipy.sparse": words(
        "load_npz save_npz base bsr compressed construct coo csc csr data dia dok extract lil sparsetools sputils"
    ),
    "scipy.sparse.linalg": words("dsolve eigen interface isolve matfuncs"),
    "scipy.spatial": words("ckdtree kdtree qhull transform"),
    "scipy.special": words("add_newdocs basic cython_special orthogonal sf_error specfun spfun_stats"),
    "scipy.stats": words("biasedurn kde morestats mstats_basic mstats_extras mvn sampling stats"),
    "sklearn.metrics": words("cluster"),
    "sklearn.model_selection": words("typing"),
    "sklearn.impute": words("typing"),
    # They write files or draw.
    "sklearn.tree": words("export_graphviz plot_tree"),
    "talib": words("atexit chain func func_name wrapped_func wraps"),
    "talib.abstract": words("func_name"),
    "talib.stream": words("func_name"),
}
"""Per module: modules it re-exports (a route to os and sys) and functions that do more than compute.

tests/execution/reading/test_policy.py checks this against the installed packages: no attribute of an allowed module may
resolve to a module that is not itself allowed.
"""

DENIED_MEMBERS_ANYWHERE = words(
    "test LowLevelCallable show_config show_versions show_runtime import_module annotations "
    "np xpx pu warnings os sys builtins inspect ctypes subprocess importlib pickle socket shutil io platform threading "
    "multiprocessing functools operator codecs contextlib logging joblib tempfile pathlib get_namespace "
    "get_namespace_and_device"
)
"""Members denied in every third-party module, including versions newer than those tested here."""

THIRD_PARTY = frozenset({"numpy", "pandas", "scipy", "sklearn", "talib"})
"""Packages whose members are checked against the lists above, and whose objects do not belong to the author."""

OPTION_PATTERN = r"(display|mode|future|compute)\.[a-z_.]+"
"""pandas options that may be set. "plotting.backend" imports any module by name, and a pattern could match it."""

OPTION_FUNCTIONS = words("set_option get_option reset_option option_context describe_option")

# --- Attributes of any object. ---

PLOT = "plot"
"""self.plot draws a series of the strategy; on any other object it is pandas' plot, which loads modules by name."""

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
    **dict.fromkeys((PLOT, "from_custom_template"), "it loads modules or templates by name"),
    # An AttributeError carries the object it was raised for, which may be a module.
    "obj": "it gives access to another object",
    "format_map": "it reads attributes by name; use an f-string",
}

DENIED_IO_METHODS = words(
    "to_clipboard to_csv to_excel to_feather to_file to_gbq to_hdf to_html to_iceberg to_json to_latex to_markdown "
    "to_orc to_parquet to_pickle to_sql to_stata to_typst to_xarray to_xml read_clipboard read_csv read_excel "
    "read_feather read_fwf read_gbq read_hdf read_html read_iceberg read_json read_orc read_parquet read_pickle "
    "read_sas read_spss read_sql read_sql_query read_sql_table read_stata read_table read_xml"
)
"""pandas reads and writes files, databases and the clipboard through these."""

SAFE_TO_METHODS = words(
    "to_bytes to_coo to_datetime to_datetime64 to_dict to_eng_string to_flat_index to_frame to_integral "
    "to_integral_exact to_integral_value to_julian_date to_list to_numeric to_numpy to_offset to_period "
    "to_pydatetime to_pytimedelta to_records to_series to_string to_timedelta to_timedelta64 to_timestamp "
    "to_tree to_tuples"
)
"""Conversions that stay in memory. Any other to_… or read_… must be a name that the source itself defines."""

DENIED_PRIVATE_ATTRIBUTES = words(
    "_module _os _sys _getframe _pytesttester _log_handler _core _testing _config _evaluate _eval_type"
)
"""Private names that reach the interpreter or its modules; denied even if the source defines the same name."""

OWN_ONLY_ATTRIBUTES = words("style env register")
"""pandas' route to a template engine, and the method by which an abstract class claims foreign objects as its own.
Allowed where the source itself defines the name."""

UNDEFINABLE_FIELDS = frozenset(
    {name for name, reason in DENIED_ATTRIBUTES.items() if reason == "it reaches into the interpreter"} | {"obj"}
)
"""Names that no class may give a field: a class pattern reads those fields from any object."""

QHULL_OPTIONS = r"\s*((Q[a-zA-Z0-9:.]+|Pp)(\s+|$))*"
"""Allowed options of scipy.spatial's hulls; others ("TI", "TO") make Qhull read and write files."""

DISPATCHING_METHODS = words("agg aggregate apply transform pivot_table crosstab NamedAgg")
"""pandas calls the method that a string argument names, so the string is checked like an attribute."""

DENIED_DISPATCHED = words(
    "eval query plot hist boxplot pipe apply agg aggregate transform map style format info rolling groupby"
)
"""Methods that are safe when written in the source, but give further access when called by name."""

QUERYING_METHODS = words("query eval")
"""pandas evaluates their string argument, which must be a literal without calls and attributes."""

CALLED_DIRECTLY = QUERYING_METHODS | DISPATCHING_METHODS | {"format"}
"""Methods whose safety depends on their arguments. Passed around as values, they could be given any."""

PLOTTING_METHODS = words("hist boxplot")
"""Names that honest code also defines; the pandas methods load any module through `backend`."""

# --- Strings. Some libraries turn strings into attribute access; these strings have no honest use as values. ---

DENIED_STRINGS = DENIED_IO_METHODS | {name for name in DENIED_ATTRIBUTES if "_" in name} | {"qhull_options"}
