"""Which run the path of a request names: never one of another owner."""

import re
from typing import Annotated

from fastapi import Depends, Path

from src.api.owners import OwnerDep
from src.errors import RunNotFound
from src.services.storage.records import RunKey

_RUN_HASH = re.compile(r"[0-9a-f]{64}")

RunHash = Annotated[
    str,
    Path(
        description="The run_hash that its POST answered with.",
        json_schema_extra={"pattern": f"^{_RUN_HASH.pattern}$", "minLength": 64, "maxLength": 64},
    ),
]


def run_key(owner: str, run_hash: str) -> RunKey:
    """The address of the owner's run of that hash.

    Raises:
        RunNotFound: no run has such a hash.
    """
    if not _RUN_HASH.fullmatch(run_hash):
        raise RunNotFound("that is no hash of a run")
    return RunKey(owner, run_hash)


async def _key_in_the_path(run_hash: RunHash, owner: OwnerDep) -> RunKey:
    return run_key(owner, run_hash)


RunKeyDep = Annotated[RunKey, Depends(_key_in_the_path)]
