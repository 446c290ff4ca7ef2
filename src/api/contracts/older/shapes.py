"""The older contract, POST /backtest: its request and answer, kept for existing clients."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from src.models.costs import Fraction, RateCommission
from src.models.plain import Number, Text
from src.models.request import BacktestRequest, Day, EndDay, Parameters, Universe, unknown_field_warnings
from src.models.response import AnswerPart, OrderAnswer
from src.models.sections import SectionsAnswer


class OlderRequest(BaseModel):
    """A strategy, its tickers and its backtest settings, under the older contract's names."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="ignore")

    code: Text
    """Python source; Strategy, Cadence and the like need not be imported, and on_data may return a dict of weights."""
    tickers: Universe | None = None
    """Tickers to trade, overriding the strategy's universe(); null uses universe()."""
    start_date: Annotated[Day, Field(examples=["2015-01-01"])]
    """First day of the window: an ISO date, or an ISO datetime whose date is used as written."""
    end_date: Annotated[EndDay, Field(examples=["2020-12-31"])]
    """Last day of the window, included; after start_date."""
    initial_cash: Annotated[Number, Field(gt=0, le=1e15)] = 10_000.0
    """Cash at the start, in account currency."""
    commission_rate: Fraction = 0.0
    """Fee as a fraction of the traded value; 0.001 is a tenth of a percent."""
    parameters: Parameters = Field(default_factory=dict)
    """What the strategy reads with `import config`, at most 100 KB as JSON."""

    _unknown_field_warnings: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="wrap")
    @classmethod
    def _tolerate_unknown_fields(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        request = handler(data)
        if isinstance(data, Mapping):
            request._unknown_field_warnings = tuple(unknown_field_warnings(data, cls.model_fields))
        return request

    def unknown_fields_warnings(self) -> list[str]:
        """See BacktestRequest.unknown_fields_warnings."""
        return list(self._unknown_field_warnings)

    def as_backtest_request(self) -> BacktestRequest:
        """The same request in the form of POST /api/v1/backtest."""
        return BacktestRequest(
            strategy_code=self.code,
            universe=self.tickers,
            start_date=self.start_date,
            end_date=self.end_date,
            initial_capital=self.initial_cash,
            commission=RateCommission(model="rate", rate=self.commission_rate),
            parameters=self.parameters,
        )


class OlderSummary(AnswerPart):
    """A summary of the run."""

    initialCash: float  # noqa: N815 - the contract's own name
    """Cash at the start, in account currency."""
    finalEquity: float  # noqa: N815
    """Equity at the end, in account currency."""
    totalReturn: float  # noqa: N815
    """Final equity over initial cash, minus one, in percent."""
    numTrades: int  # noqa: N815
    """Orders that filled, a count."""


class OlderMetrics(AnswerPart):
    """Three metrics; null where undefined, such as when there are no trades."""

    sharpeRatio: float | None  # noqa: N815
    """Mean over standard deviation of daily excess returns, per year."""
    maxDrawdown: float | None  # noqa: N815
    """Deepest fall from a peak of equity, positive, in percent."""
    winRate: float | None  # noqa: N815
    """Share of closed trades with a profit, in percent."""


class OlderPoint(AnswerPart):
    """Equity at the end of one day."""

    date: str
    """An ISO date."""
    equity: float
    """In account currency."""


class OlderData(SectionsAnswer, AnswerPart):
    """The finished backtest."""

    summary: OlderSummary
    metrics: OlderMetrics
    equityCurve: list[OlderPoint]  # noqa: N815
    """One point per timeline day, ascending."""
    orders: list[OrderAnswer]
    """All fills, in the order they happened."""
    warnings: list[str]
    """What a careful reader of the result should know."""


class OlderAnswer(BaseModel):
    """200: success."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    success: bool = True
    """Always true."""
    data: OlderData


class OlderProblem(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """Stable name of the kind of problem."""
    messages: list[str]
    """One sentence per problem."""
    request_id: str | None = None
    """Reference to quote to the operator when the fault is ours."""


class OlderRefusal(BaseModel):
    """Any other status: failure."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    success: bool = False
    """Always false."""
    error: OlderProblem
