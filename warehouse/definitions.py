"""Definitions of audiences as versions and checksums: in dbt's manifest, and in the lock.

`audiences.lock.yml` is the truth about which logic a version stands for. Published builds land
what they were built with, so the two can be compared long after the build.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOCK = "audiences.lock.yml"


@dataclass(frozen=True)
class Definition:
    """What an audience was built with: its version and the checksum of its logic."""

    version: int
    checksum: str


@dataclass(frozen=True)
class Locked:
    """A version of an audience: its number, the checksum of its logic and what changed with it."""

    version: int
    checksum: str
    changed: str


def read_lock(path: Path) -> dict[str, Locked]:
    """The lock, by audience; empty where there is no file yet.

    Raises:
        UsageError: The file is not what `cio audiences bump` writes.
    """
    if not path.is_file():
        return {}
    try:
        return dict(_parse_lock(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        message = (
            f"{path} is not what `cio audiences bump` writes: each audience has version, checksum "
            "and changed. Take it back from Git, or remove it and bump every audience."
        )
        raise UsageError(message) from error


@lru_cache(maxsize=2)
def _parse_lock(text: str) -> dict[str, Locked]:
    """What the lock says; each sync that is planned asks, and YAML takes a tenth of a second."""
    return {name: Locked(**row) for name, row in (yaml.safe_load(text) or {}).items()}


def checksum(sql: str, macros: Mapping[str, str]) -> str:
    """A digest of logic: comments and white space do not count, the audience macros it uses do.

    Args:
        sql: SQL of the model, as written.
        macros: SQL of the macros by name.
    """
    parts = [spaced(sql), *(spaced(body) for _, body in sorted(macros.items()))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def audience_macros(manifest: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, str]:
    """SQL of the macros in `macros/audiences/` that a node uses, also through others, by name."""
    macros = manifest.get("macros", {})
    found: dict[str, str] = {}
    left = list(node["depends_on"].get("macros", []))
    while left:
        name = left.pop()
        macro = macros.get(name, {})
        path = str(macro.get("original_file_path", ""))
        if path.startswith("macros/audiences/") and name not in found:
            found[name] = macro["macro_sql"]
            left += macro.get("depends_on", {}).get("macros", [])
    return found


def definitions(manifest: Mapping[str, Any]) -> dict[str, Definition]:
    """The audiences of a manifest, by name; those whose version is no whole number are left out."""
    found = {}
    for node in manifest["nodes"].values():
        meta = node["config"].get("meta", {}).get("audience")
        if node["resource_type"] == "model" and meta and isinstance(meta.get("version"), int):
            digest = checksum(node["raw_code"], audience_macros(manifest, node))
            found[node["name"]] = Definition(meta["version"], digest)
    return found


def built_definitions(path: Path, build_id: str) -> dict[str, Definition]:
    """What a build was built with.

    Args:
        path: dbt's `manifest.json`. It says which invocation wrote it, and only that of the build
            itself proves anything: a later parse may have read other files.
        build_id: dbt's invocation id of the build.

    Returns:
        Definitions by audience; empty where the manifest is gone, or another invocation's.
    """
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if manifest.get("metadata", {}).get("invocation_id") != build_id:
        return {}
    return definitions(manifest)


def spaced(sql: str) -> str:
    """SQL without comments, on one line."""
    return " ".join(without_comments(sql).split())


def without_comments(sql: str) -> str:
    """SQL without its comments, and without Jinja's."""
    return re.sub(r"--[^\n]*|\{#.*?#\}", "", sql, flags=re.DOTALL)
