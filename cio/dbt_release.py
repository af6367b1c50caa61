"""Which releases of dbt its shortcuts are written for: with any other it goes its own way."""

from __future__ import annotations

import sys
from importlib.metadata import version

WRITTEN_FOR = {"dbt-core": "1.11.16", "dbt-common": "1.39.0"}
"""The releases that the shortcuts were compared with; those of `constraints.txt`."""


def take_known_shortcuts() -> bool:
    """Let dbt take its shortcuts in this process, if they are for the releases installed.

    Returns:
        Whether they are.
    """
    if any(version(package) != release for package, release in WRITTEN_FOR.items()):
        return False
    # it reaches into dbt, which another release may have arranged otherwise
    from cio.dbt_shortcuts import take_shortcuts  # noqa: PLC0415 - as said

    take_shortcuts()
    return True


def keep_shortcuts() -> None:
    """Keep what they were worked out from for the next process, if any were taken."""
    if shortcuts := sys.modules.get("cio.dbt_shortcuts"):
        shortcuts.keep()
