"""What every PresetStore promises."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from src.services.storage.base import Storage
from src.services.storage.errors import TooManyPresets
from src.services.storage.records.presets import Preset

NOON = datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)
CONFIGURATION = {"commission": {"model": "rate", "fraction": 0.001}, "symbols": ["SPY"], "note": "\x00\ud800 é"}


def preset(number: int = 1, owner: str = "local", minutes: int = 0) -> Preset:
    """A preset made some minutes after noon."""
    made_at = NOON + timedelta(minutes=minutes)
    return Preset(owner, f"{number:064x}", f"Vorgabe \x00 {number}", CONFIGURATION, made_at)


def test_a_preset_is_stored_whole(storage: Storage) -> None:
    assert storage.presets.add(preset()) == (preset(), True)
    assert storage.presets.get("local", preset().preset_id) == preset()
    assert storage.presets.list("local") == [preset()]


def test_an_existing_preset_is_unchanged(storage: Storage) -> None:
    storage.presets.add(preset())
    assert storage.presets.add(preset(minutes=5)) == (preset(), False)
    assert storage.presets.get("local", preset().preset_id) == preset()


def test_concurrent_adds_of_one_preset_store_it_once(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda minutes: storage.presets.add(preset(minutes=minutes)), range(16)))
    assert sum(is_new for _, is_new in added) == 1
    assert len({kept.created_at for kept, _ in added}) == 1


def test_presets_come_newest_first(storage: Storage) -> None:
    for number, minutes in ((1, 2), (2, 3), (3, 1)):
        storage.presets.add(preset(number, minutes=minutes))
    assert [each.name[-1] for each in storage.presets.list("local")] == ["2", "1", "3"]


def test_a_removed_preset_is_gone(storage: Storage) -> None:
    storage.presets.add(preset())
    assert storage.presets.remove("local", preset().preset_id)
    assert not storage.presets.remove("local", preset().preset_id)
    assert storage.presets.get("local", preset().preset_id) is None
    assert storage.presets.list("local") == []


def test_presets_belong_to_their_owner(storage: Storage) -> None:
    storage.presets.add(preset(owner="ann"))
    assert storage.presets.get("bob", preset().preset_id) is None
    assert storage.presets.list("bob") == []
    assert not storage.presets.remove("bob", preset().preset_id)
    assert storage.presets.add(preset(owner="bob"))[1]


def test_the_number_of_presets_per_owner_is_limited(storage: Storage) -> None:
    def add(number: int) -> bool:
        try:
            return storage.presets.add(preset(number), max_presets=5)[1]
        except TooManyPresets:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(add, range(16))) == 5
    present = storage.presets.list("local")
    assert len(present) == 5
    assert storage.presets.add(present[0], max_presets=5) == (present[0], False), "an existing preset needs no room"
    assert storage.presets.add(preset(owner="ann"), max_presets=5)[1]
    assert storage.presets.remove("local", present[0].preset_id)
    assert storage.presets.add(preset(99), max_presets=5)[1]


def test_the_total_size_of_an_owners_presets_is_limited(storage: Storage) -> None:
    size = len(json.dumps(CONFIGURATION, separators=(",", ":")))
    for number in range(3):
        storage.presets.add(preset(number), max_bytes=3 * size)
    with pytest.raises(TooManyPresets):
        storage.presets.add(preset(3), max_bytes=4 * size - 1)
    assert len(storage.presets.list("local")) == 3
    assert storage.presets.add(preset(2), max_bytes=3 * size) == (preset(2), False)
    assert storage.presets.add(preset(3), max_bytes=4 * size)[1]


def test_no_preset_has_a_hostile_id(storage: Storage) -> None:
    for preset_id in ("", "\x00", "\ud800", "' OR 1=1 --", "x" * 100_000):
        assert storage.presets.get("local", preset_id) is None
        assert not storage.presets.remove("local", preset_id)
