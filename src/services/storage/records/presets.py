"""Presets as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A named configuration of runs.

    Attributes:
        preset_id: SHA-256 of name and configuration as canonical JSON, hexadecimal.
        configuration: part of a BacktestRequest as JSON.
    """

    owner: str
    preset_id: str
    name: str
    configuration: Mapping[str, Any]
    created_at: datetime
