"""The run that a request's path names: never another owner's."""

import re
from typing import Annotated

from fastapi import Depends, Path

from src.api.http.owners import OwnerDep
from src.errors import RunNotFound
from src.services.storage.records.runs import RunKey

_RUN_HASH = re.compile(r"[0-9a-f]{64}")

RunHash = Annotated[
    str,
    Path(
        description="The run_hash that its POST returned.",
        json_schema_extra={"pattern": f"^{_RUN_HASH.pattern}$", "minLength": 64, "maxLength": 64},
    ),
]


def run_key(owner: str, run_hash: str) -> RunKey:
    """The key of the owner's run with that hash.

    Raises:
        RunNotFound: the hash is malformed.
    """
    if not _RUN_HASH.fullmatch(run_hash):
        raise RunNotFound("a run_hash is 64 hexadecimal digits")
    return RunKey(owner, run_hash)


async def _key_in_the_path(run_hash: RunHash, owner: OwnerDep) -> RunKey:
    return run_key(owner, run_hash)


RunKeyDep = Annotated[RunKey, Depends(_key_in_the_path)]
