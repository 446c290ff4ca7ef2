"""An in-memory double of PresetStore, held to the contract of the real ones."""

import json
from collections.abc import Sequence
from dataclasses import replace
from threading import RLock

from src.services.storage.errors import TooManyPresets
from src.services.storage.records.presets import Preset
from tests.fakes.plain import plain


class FakePresetStore:
    """`PresetStore` in memory."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._presets: dict[tuple[str, str], Preset] = {}

    def add(
        self, preset: Preset, *, max_presets: int | None = None, max_bytes: int | None = None
    ) -> tuple[Preset, bool]:
        with self._lock:
            is_new = (preset.owner, preset.preset_id) not in self._presets
            if is_new and max_presets is not None and len(self.list(preset.owner)) >= max_presets:
                raise TooManyPresets(f"{max_presets} presets are the most")
            sizes = [
                len(json.dumps(each.configuration, separators=(",", ":")))
                for each in (preset, *self.list(preset.owner))
            ]
            if is_new and max_bytes is not None and sum(sizes) > max_bytes:
                raise TooManyPresets(f"{max_bytes} bytes are the most")
            kept = replace(preset, configuration=plain(preset.configuration))
            return self._presets.setdefault((preset.owner, preset.preset_id), kept), is_new

    def get(self, owner: str, preset_id: str) -> Preset | None:
        return self._presets.get((owner, preset_id))

    def list(self, owner: str) -> Sequence[Preset]:
        with self._lock:
            mine = [preset for preset in self._presets.values() if preset.owner == owner]
        mine.sort(key=lambda preset: preset.preset_id)
        return sorted(mine, key=lambda preset: preset.created_at, reverse=True)

    def remove(self, owner: str, preset_id: str) -> bool:
        with self._lock:
            return self._presets.pop((owner, preset_id), None) is not None
