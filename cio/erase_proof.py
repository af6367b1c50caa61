"""What a case of an erasure keeps in its folder, and the proof that it signs with a hash."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from pathlib import Path


def write_proof(path: Path, body: dict[str, Any]) -> None:
    """Write a proof with the SHA-256 of what it says."""
    said = {name: value for name, value in body.items() if name != "sha256"}
    text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    write_record(path, said | {"sha256": hashlib.sha256(text).hexdigest()})


def read_record(path: Path) -> dict[str, Any] | None:
    """What a file of a case says; nothing if there is none, or none that can be read."""
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def write_record(path: Path, body: dict[str, Any]) -> None:
    """Write a file of a case, whole or not at all, for the owner alone to read."""
    temporary = path.with_name(f".{path.name}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(body, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
