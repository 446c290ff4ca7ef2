"""Presets: named configurations of runs, identified by their contents."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from src.errors import BacktesterError
from src.services.backtests.identity import run_hash
from src.services.storage.base import PresetStore
from src.services.storage.records.presets import Preset


class PresetNotFound(BacktesterError):
    """The owner has no such preset."""

    code = "preset_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("There is no such preset.")


MAX_PRESETS = 1_000
MAX_BYTES = 20_000_000
"""Per owner: more could not be searched by eye, and a list shows them all."""


class Presets:
    """Manages the presets of all owners. Blocks; may be called from any thread.

    Args:
        store: stores them.
    """

    def __init__(self, store: PresetStore) -> None:
        self._store = store

    def add(self, owner: str, name: str, configuration: Mapping[str, Any]) -> tuple[Preset, bool]:
        """The preset of that name and configuration, and whether it is new.

        Args:
            configuration: part of a BacktestRequest as JSON, already checked.

        Raises:
            TooManyPresets
        """
        preset_id = run_hash({"name": name, "configuration": dict(configuration)})
        preset = Preset(owner, preset_id, name, configuration, datetime.now(UTC))
        return self._store.add(preset, max_presets=MAX_PRESETS, max_bytes=MAX_BYTES)

    def get(self, owner: str, preset_id: str) -> Preset:
        """One preset of the owner.

        Raises:
            PresetNotFound
        """
        preset = self._store.get(owner, preset_id)
        if preset is None:
            raise PresetNotFound
        return preset

    def list(self, owner: str) -> Sequence[Preset]:
        """All presets of the owner, newest first."""
        return self._store.list(owner)

    def remove(self, owner: str, preset_id: str) -> None:
        """Remove one.

        Raises:
            PresetNotFound
        """
        if not self._store.remove(owner, preset_id):
            raise PresetNotFound


def with_overrides(configuration: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Build a request: the preset's fields, each replaced as a whole by the sent one, if any.

    Args:
        overrides: the sent fields, not yet checked; config_params counts as parameters.
    """
    fields = dict(overrides)
    replaced = {"parameters"} if "config_params" in fields else set()
    return {name: value for name, value in configuration.items() if name not in replaced} | fields
