"""A process killed at any moment leaves an intact chain, and no file is served partially."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from src.services.results.artifacts import Artifacts
from src.services.results.chain import folders
from src.services.results.chain.folders import owner_folder
from src.services.results.chain.verification import check_chain
from src.services.storage.base import Storage

PROJECT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_a_kill_at_any_step_of_sealing_or_removing(
    root: Path, database_url: str, storage: Storage, monkeypatch
) -> None:
    command = [sys.executable, "-m", "tests.services.results.killing", root, database_url]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    killed = [outcome for outcome in outcomes if outcome["was_killed"]]
    assert len(killed) >= 15
    assert [outcome for outcome in outcomes if outcome["status"] != 0 or outcome["half"]] == []

    artifacts = Artifacts(root, storage)
    monkeypatch.setattr(folders, "LEFT_OVER_SECONDS", -1.0)  # everything is old now
    artifacts.clean_up()
    links = storage.chain.links("local")
    assert len(list(check_chain(root, "local", storage.chain))) == len(links)
    expected = {folders.link_folder(root, link).name for link in links}
    present = {path.name for path in owner_folder(root, "local").iterdir()}
    beside = present - expected
    # A folder that had its final name but no link when its process died was set aside and sealed again.
    assert beside == set()
