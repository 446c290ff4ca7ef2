"""A run that was stored and sealed before results were columns is served as it was, byte for byte.

stored_before_columns.json holds such a run: rows (of database revision 0004) and files of the last version that stored
JSON, and what that version served. Its prices are made up.
"""

import base64
import contextlib
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData
from starlette.testclient import TestClient

from src.cli.verify import verify_bundle
from src.services.results.artifacts import Artifacts
from src.services.results.chain.verification import check_chain
from src.services.results.comparison import differences
from src.services.results.packing import packed, unpacked
from src.services.storage.base import Storage
from src.services.storage.records.runs import RunKey
from src.services.storage.sql.migrating import MIGRATIONS
from src.services.storage.sql.opening import open_engine, open_storage
from tests.fakes.application import BACKTEST, RUNS
from tests.fakes.backtests import FakeBacktests
from tests.services.results.samples import succeeded

BEFORE = json.loads((Path(__file__).parent / "stored_before_columns.json").read_text())
(RUN,) = BEFORE["tables"]["runs"]
(RESULT,) = BEFORE["tables"]["run_results"]
KEY = RunKey(RUN["owner"], RUN["run_hash"])
FILES = {name: zlib.decompress(base64.b64decode(content)) for name, content in BEFORE["files"].items()}
SERVED = {name: zlib.decompress(base64.b64decode(content)) for name, content in BEFORE["served"].items()}
BINARY, BOOLEAN = {"gzip_bytes"}, {"is_cancel_requested", "has_result"}
PATH = f"{RUNS}/{KEY.run_hash}"


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """The stores of this version on the database of that one."""
    url = f"sqlite:///{tmp_path}/runs.db"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.url(server.new_database())
    engine, config = open_engine(url), Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        tables = MetaData()
        tables.reflect(connection)
        for name, rows in BEFORE["tables"].items():
            connection.execute(tables.tables[name].insert(), [_row(row) for row in rows])
    engine.dispose()
    with contextlib.closing(open_storage(url)) as opened:
        yield opened


def _row(row: dict[str, Any]) -> dict[str, Any]:
    decoded = {name: base64.b64decode(row[name]) for name in BINARY & row.keys()}
    return row | decoded | {name: bool(row[name]) for name in BOOLEAN & row.keys()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of artifacts, as that version left it."""
    folder = tmp_path / "artifacts" / "local" / BEFORE["folder"]
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return tmp_path / "artifacts"


@pytest.fixture
def client(connect: Callable[..., TestClient], storage: Storage, root: Path) -> TestClient:
    return connect(FakeBacktests(), storage=storage, artifact_folder=root)


def raw(client: TestClient, path: str, encoding: str) -> tuple[str, bytes]:
    with client.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        assert answer.status_code == 200
        return answer.headers["ETag"], b"".join(answer.iter_raw())


def test_its_result_has_the_same_bytes_and_tags(client: TestClient) -> None:
    packed_json, sha256 = base64.b64decode(RESULT["gzip_bytes"]), RESULT["json_sha256"]
    assert raw(client, f"{PATH}/result", "gzip") == (f'"{sha256}-gzip"', packed_json)
    assert raw(client, f"{PATH}/result", "identity") == (f'"{sha256}"', gzip.decompress(packed_json))
    head = client.head(f"{PATH}/result", headers={"Accept-Encoding": "identity"})
    assert int(head.headers["Content-Length"]) == RESULT["json_length"]


def test_other_forms_of_it_have_the_same_bytes(client: TestClient) -> None:
    assert client.get(f"{BACKTEST}/{KEY.run_hash}").content == SERVED["job"]
    assert client.get(f"{PATH}/equity.csv").content == SERVED["equity.csv"]
    assert client.get(PATH).content == SERVED["run"], "with its metrics"
    assert client.get(f"{PATH}/statistics").status_code == 200


def test_its_files_are_those_that_were_sealed_and_their_chain_goes_on(
    client: TestClient, storage: Storage, root: Path, tmp_path: Path
) -> None:
    for name, content in FILES.items():
        assert client.get(f"{PATH}/artifacts/{name}").content == content
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(client.get(f"{PATH}/bundle.zip").content)
    with zipfile.ZipFile(bundle) as archive:
        assert {Path(name).name: archive.read(name) for name in archive.namelist()} == FILES
    assert verify_bundle(bundle, io.StringIO()) == 0
    Artifacts(root, storage).seal(succeeded(storage))
    assert [link.n_files for link in check_chain(root, "local", storage.chain)] == [6, 6]


def test_its_columns_are_offered_too(client: TestClient) -> None:
    for name in ("document.json", "daily.arrow", "orders.arrow", "orders.parquet"):
        assert client.get(f"{PATH}/artifacts/{name}").status_code == 200


def test_unless_it_was_sealed_before_it_is_sealed_as_columns(storage: Storage, tmp_path: Path) -> None:
    storage.chain.mark_removed(KEY)
    manifest = Artifacts(tmp_path / "other", storage).manifest(KEY)
    assert (manifest["format"], len(manifest["files"])) == (2, 5)


def test_a_rerun_compares_with_it(storage: Storage) -> None:
    stored = storage.runs.result(KEY)
    assert stored is not None
    before, again = unpacked(stored), unpacked(packed(unpacked(stored)))
    assert differences(before, again) == ()
    metrics = {**again.document["metrics"], "sharpe_ratio": 0.0}
    changed = replace(again, document={**again.document, "metrics": metrics})
    assert differences(before, changed) == ("metrics.sharpe_ratio",)


def test_it_counts_for_retention_and_goes_as_a_whole(storage: Storage) -> None:
    succeeded(storage)
    assert storage.runs.surplus(9, RESULT["json_length"]) == [KEY]
    assert storage.runs.delete(KEY)
    assert storage.runs.result(KEY) is None
