"""Thousands of generated requests against the running service: the OpenAPI document must declare every answer."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from src.api.server import create_app
from src.config.settings import Settings
from tests.conftest import SANDBOX_IMAGE, SANDBOX_PYTHON, open_sandbox
from tests.fakes.application import served

pytestmark = pytest.mark.slow

MAX_EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "30"))
"""For each operation and phase; 30 make about 2,800 requests."""

# A valid body may still hold a strategy that breaks a rule (400), and every text/x-python body is valid, so the
# document alone does not decide between "accepted" and "rejected".
UNDECIDABLE = "positive_data_acceptance,negative_data_rejection"


@pytest.mark.bubblewrap
def test_every_answer_to_a_generated_request_is_declared_in_the_document(tmp_path: Path) -> None:
    open_sandbox("bubblewrap").close()
    settings = Settings(
        _env_file=None,
        data_provider="mock",
        sandbox="bubblewrap",
        sandbox_image=SANDBOX_IMAGE,
        sandbox_python=SANDBOX_PYTHON,
        database_url=f"sqlite:///{tmp_path}/runs.db",
        artifact_dir=tmp_path / "artifacts",
        blob_dir=tmp_path / "blobs",
        rate_limit_per_minute=1_000_000,
        rate_limit_per_hour=1_000_000,
        rate_limit_reads_per_minute=1_000_000,
        rate_limit_reads_per_hour=1_000_000,
    )
    with served(create_app(settings)) as port:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/openapi.json"]
        command += ["--max-examples", str(MAX_EXAMPLES), "--exclude-checks", UNDECIDABLE, "--seed", "7"]
        command += ["--no-color", "--warnings", "off", "--continue-on-failure"]
        # In its own folder, because it stores its findings for the next run.
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False)
    assert said.returncode == 0, said.stdout[-5000:] + said.stderr[-2000:]
    generated = re.search(r"([\d,]+) generated", said.stdout)
    assert int(generated[1].replace(",", "")) > 500
