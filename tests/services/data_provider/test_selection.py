"""The operator's setting opens the provider it names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from src.services.data_provider.selection import open_provider

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("choice", "is_synthetic"), [("mock", True), ("files", False), ("yahoo", False)])
def test_a_provider_has_the_name_it_was_chosen_by(tmp_path, choice, is_synthetic):
    cache = tmp_path / "cache"
    provider = open_provider(choice, data_dir=tmp_path, cache_dir=cache, timeout_seconds=1.0, attempts=1)
    assert (provider.name, provider.is_synthetic) == (choice, is_synthetic)
    assert not cache.exists()  # opening sends no request and writes nothing


def test_an_unknown_provider_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'bloomberg'"):
        open_provider("bloomberg", data_dir=tmp_path, cache_dir=tmp_path, timeout_seconds=1.0, attempts=1)


@pytest.mark.slow
def test_preparing_imports_yfinance_and_sends_no_request(tmp_path):
    code = (
        "import sys; from pathlib import Path; from src.services.data_provider import selection as s; "
        "where = Path(sys.argv[1]); "
        "provider = s.open_provider('yahoo', data_dir=where, cache_dir=where, timeout_seconds=1.0, attempts=1); "
        "assert 'yfinance' not in sys.modules; s.prepare(provider); sys.exit('yfinance' not in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code, os.fspath(tmp_path)], cwd=ROOT, check=False
    )
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []
