"""The metrics of one run as the answer reports them; their formulas are in `src/utils`."""

from pydantic import BaseModel, ConfigDict


class MetricsAnswer(BaseModel):
    """Every metric of the run. Rates are fractions: 0.05 is five percent. `undefined` explains each null."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")

    total_return: float | None
    """Final equity over initial capital, minus one."""
    annualized_return: float | None
    """Compound growth per calendar year, a fraction."""
    annual_volatility: float | None = None
    """Standard deviation of daily returns, per year."""
    sharpe_ratio: float | None
    """Mean over standard deviation of daily excess returns, per year."""
    sortino: float | None
    """Mean over downside deviation of daily excess returns, per year."""
    calmar: float | None = None
    """annualized_return over max_drawdown."""
    omega: float | None = None
    """Sum of gains over sum of losses of daily excess returns."""
    max_drawdown: float | None
    """Deepest fall from a peak of equity, a positive fraction."""
    max_drawdown_duration: int | None = None
    """Longest stretch from a peak to a new peak, in timeline days."""
    var_95: float | None = None
    """Daily return that one day in twenty falls below, a (negative) fraction."""
    cvar_95: float | None = None
    """Mean daily return of the worst twentieth of days, a (negative) fraction."""
    skew: float | None = None
    """Skewness of daily returns, bias-corrected."""
    excess_kurtosis: float | None = None
    """Kurtosis of daily returns above the normal distribution's, bias-corrected."""
    tail_ratio: float | None = None
    """95th percentile of daily returns over the 5th, both without sign."""
    ulcer_index: float | None = None
    """Root mean square of the daily drawdowns, a fraction."""
    beta: float | None
    """Covariance with the benchmark's excess returns over their variance."""
    alpha: float | None
    """Jensen's alpha against the benchmark, a yearly fraction."""
    information_ratio: float | None = None
    """Mean return above the benchmark over tracking_error, per year."""
    tracking_error: float | None = None
    """Standard deviation of the daily returns above the benchmark, per year."""
    treynor: float | None = None
    """Yearly excess return over beta."""
    psr: float | None
    """Probability that the true yearly Sharpe ratio is above one."""
    psr_zero: float | None = None
    """Probability that the true Sharpe ratio is above zero."""
    win_rate: float | None
    """Share of closed trades with a profit, net of fees."""
    loss_rate: float | None = None
    """Share of closed trades with a loss, net of fees."""
    avg_win: float | None
    """Mean profit of winning trades, as a fraction of the cost of the shares closed."""
    avg_loss: float | None
    """Mean loss of losing trades, as a (negative) fraction of the cost of the shares closed."""
    profit_factor: float | None = None
    """Gross profit over gross loss of closed trades."""
    expectancy: float | None = None
    """Expected result of a closed trade, as a fraction of its cost."""
    profit_loss_ratio: float | None = None
    """avg_win over avg_loss without its sign."""
    turnover: float | None = None
    """Yearly one-way traded value over equity."""
    exposure: float | None = None
    """Mean share of equity that was invested."""
    total_orders: int | None
    """Orders that filled."""
    closed_trades: int | None = None
    """Sell fills, each against the average cost of what it sold."""
    best_day: float | None = None
    """Largest daily return."""
    worst_day: float | None = None
    """Smallest daily return."""
    positive_day_rate: float | None = None
    """Share of days with a gain."""
    break_even_cost_bps: float | None = None
    """Cost per traded value, in basis points, at which total_return would be zero if the same orders were made with
    less money. A smallest trade above zero skips other orders then: the cost found by rerunning is up to 2 % away.
    """
    periods_per_year: int = 252
    """Timeline days that make a year, counted: 252 or 365 when the count is within 5 % of one of them."""
    risk_free_rate: float | None = None
    """Yearly risk-free rate that was used, a fraction."""
    undefined: dict[str, str] = {}
    """For each null above, why it is undefined."""
