"""Presets: named configurations of runs, kept under what they say."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from src.errors import BacktesterError
from src.services.run_identity import run_hash
from src.services.storage.base import PresetStore
from src.services.storage.records import Preset


class PresetNotFound(BacktesterError):
    """The owner has no such preset."""

    code = "preset_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("There is no such preset.")


MAX_PRESETS = 1_000
MAX_BYTES = 20_000_000
"""Of one owner: nobody finds one among more, and a list shows them all."""


class Presets:
    """Keeps the presets of everybody. Blocks; may be called from any thread.

    Args:
        store: where they are kept.
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
        """Forget one.

        Raises:
            PresetNotFound
        """
        if not self._store.remove(owner, preset_id):
            raise PresetNotFound


def with_overrides(configuration: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A request: the preset's fields, each replaced as a whole by the one that was sent, if one was.

    Args:
        overrides: the sent fields, not checked yet; config_params counts as parameters.
    """
    fields = dict(overrides)
    replaced = {"parameters"} if "config_params" in fields else set()
    return {name: value for name, value in configuration.items() if name not in replaced} | fields
