"""Files that were loaded: packed away by day, and removed after a while."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from typing import TYPE_CHECKING

from loaders.receiver.spool import sync_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from warehouse.home import Home

_DAY_SECONDS = 86_400
_COMPRESSION = 6


def archive_folder(home: Home) -> Path:
    """Where loaded files are kept, in one folder a day (UTC) of their events' arrival."""
    return home.spool / "archive"


def archive(home: Home, files: Sequence[Path], *, keep_days: int) -> int:
    """Pack loaded files away, and remove those whose days are over.

    Killed halfway, it leaves a file where it was, and the next load, which knows that it has taken
    it, packs it again under the same name.

    Args:
        home: The home whose spool they are in.
        files: Finished files that a complete load has taken.
        keep_days: How long to keep a file after it was packed; 0 keeps none.

    Returns:
        How many files were removed for their age.
    """
    for path in files:
        _pack(path, archive_folder(home) / _day(path))
    return _remove_old(archive_folder(home), keep_days)


def _day(path: Path) -> str:
    """`2026-07-31`, from a name that begins with `20260731T…`."""
    digits = path.name[:8]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if digits.isdecimal() else "undated"


def _pack(path: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    packed = folder / f"{path.name}.gz"
    temporary = folder / f".{path.name}.gz"
    handle = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as target:
        with (
            path.open("rb") as source,
            gzip.GzipFile("", "wb", _COMPRESSION, target) as packer,
        ):
            shutil.copyfileobj(source, packer, 2**20)
        target.flush()
        os.fsync(target.fileno())
    temporary.rename(packed)
    sync_folder(folder)
    path.unlink()


def _remove_old(folder: Path, keep_days: int) -> int:
    oldest = time.time() - keep_days * _DAY_SECONDS
    removed = 0
    for day in [path for path in folder.glob("*") if path.is_dir()]:
        for path in list(day.iterdir()):
            # a hidden file is one that was being packed when a load was killed
            if path.stat().st_mtime <= oldest:
                path.unlink()
                removed += 1
        if not any(day.iterdir()):
            day.rmdir()
    return removed
