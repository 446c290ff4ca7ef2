"""A preset: named fields of a request, stored so that variations of it can be run."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from src.models.plain import Text
from src.models.request import BacktestRequest, named_once, unknown_field_warnings


def _may_be_missing(field: FieldInfo) -> tuple[Any, Any]:
    # A factory: OpenAPI would show a default of null beside types that do not allow null.
    missing = Field(default_factory=lambda: None, description=field.description, examples=field.examples)
    return field.rebuild_annotation(), missing


_FIELDS: dict[str, Any] = {name: _may_be_missing(field) for name, field in BacktestRequest.model_fields.items()}

RequestPart = create_model(
    "RequestPart", __doc__="Any fields of a request, each as POST /api/v1/backtest accepts it.", **_FIELDS
)


def _known_fields(sent: Any) -> Any:
    """Return what was sent if every name is a field of a request.

    Raises:
        PydanticCustomError: it is empty or has an unknown name, since a warning would go unread here.
    """
    if not isinstance(sent, Mapping):
        return sent
    fields = named_once(sent)
    unknown = unknown_field_warnings(fields, BacktestRequest.model_fields)
    if unknown or not fields:
        problem = "; ".join(unknown) or "At least one field of a request"
        raise PydanticCustomError("preset_fields", "{problem}", {"problem": problem})
    return fields


class PresetRequest(BaseModel):
    """A configuration to store."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="ignore")

    name: Annotated[Text, Field(min_length=1, max_length=200, examples=["my costs"])]
    """The user's name for it; the same configuration under another name is another preset."""
    configuration: Annotated[RequestPart, BeforeValidator(_known_fields)]
    """Any fields of the request of POST /api/v1/backtest, including the code and the dates."""

    def fields(self) -> dict[str, Any]:
        """The configuration as JSON: the fields that were sent, each in its canonical form."""
        configuration: BaseModel = self.configuration
        return configuration.model_dump(mode="json", include=configuration.model_fields_set)


class PresetAnswer(BaseModel):
    """One preset."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    preset_id: str
    """SHA-256 of name and configuration: posting the same twice gives the same preset."""
    name: str
    """The user's name for it."""
    configuration: dict[str, Any]
    """The fields that it fills in."""
    created_at: datetime
    """When it was first posted, in UTC."""


class PresetList(BaseModel):
    """All presets of one owner."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    presets: list[PresetAnswer]
    """Newest first."""
