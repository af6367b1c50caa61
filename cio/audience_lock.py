"""`audiences.lock.yml`: the version of each audience, and the checksum of the logic it stands for.

A trend that shifts can then be told from a definition that did.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import yaml

from cio.audiences import Finding
from warehouse.definitions import LOCK, Locked
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cio.audiences import Audience

_HEAD = '# Written by `cio audiences bump NAME -m "what changed"`.\n'
_VERSION = re.compile(r"^( +version: )\d+$", re.MULTILINE)


def write_lock(path: Path, lock: Mapping[str, Locked]) -> None:
    """Write the lock, sorted by audience."""
    rows = {name: asdict(lock[name]) for name in sorted(lock)}
    text = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=100)
    path.write_text(_HEAD + text, encoding="utf-8")


def check_lock(audiences: Sequence[Audience], lock: Mapping[str, Locked]) -> list[Finding]:
    """Definitions that changed without their version, and versions that nobody wrote down."""
    findings = []
    for audience in audiences:
        text = _difference(audience, lock.get(audience.name))
        if text:
            way_out = f'run `cio audiences bump {audience.name} -m "what changed"`'
            message = f"{audience.file}: {text}; {way_out}"
            findings.append(Finding("version", audience.name, message))
    names = {audience.name for audience in audiences}
    for gone in sorted(set(lock) - names):
        message = f"{LOCK}: {gone} is no audience any more; the next bump removes it"
        findings.append(Finding("version", gone, message, is_warning=True))
    return findings


def bump(
    audience: Audience, lock: Mapping[str, Locked], *, changed: str, root: Path
) -> dict[str, Locked]:
    """Write down what an audience is now; where its version did not move, it is raised by one.

    Args:
        audience: The audience, as it is.
        lock: The lock, as it was.
        changed: What changed, in words.
        root: Folder that the audience's file is relative to; its `version` is edited there.

    Returns:
        The lock with the audience's new version.

    Raises:
        UsageError: Nothing changed, no words were given, or the file's version cannot be found.
    """
    if not changed.strip():
        message = "say what changed, as in -m 'window 7 to 3 days'"
        raise UsageError(message)
    before = lock.get(audience.name)
    version = _version(audience)
    if before and before.checksum == audience.checksum and before.version == version:
        message = f"{audience.name} is as version {version} in {LOCK} has it; nothing to bump"
        raise UsageError(message)
    if before and version <= before.version:
        version = before.version + 1
        _set_version(root / audience.file, version)
    return {**lock, audience.name: Locked(version, audience.checksum, changed.strip())}


def _difference(audience: Audience, locked: Locked | None) -> str | None:
    version = audience.meta.get("version")
    if locked is None:
        return f"{LOCK} does not list it"
    if locked.checksum != audience.checksum and locked.version == version:
        return f"its logic changed and its version is still {version}"
    if locked.checksum != audience.checksum or locked.version != version:
        return f"it says version {version} and {LOCK} has version {locked.version}"
    return None


def _version(audience: Audience) -> int:
    version = audience.meta.get("version")
    if not isinstance(version, int):
        message = f"{audience.file}: version must be a whole number, and is {version}"
        raise UsageError(message)
    return version


def _set_version(path: Path, version: int) -> None:
    text, count = _VERSION.subn(rf"\g<1>{version}", path.read_text(encoding="utf-8"))
    if count != 1:
        message = f"{path}: its line `version:` is not to be found; set it to {version} by hand"
        raise UsageError(message)
    path.write_text(text, encoding="utf-8")
