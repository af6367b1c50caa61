"""The dbt project as the commands see it: where its manifest is, and whether it is current."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cio.dbt import Project, run_dbt
from warehouse.home import project_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SOURCES = {".sql", ".yml", ".yaml", ".md", ".csv"}


def current_manifest(project: Project) -> Path:
    """The manifest, parsed anew only when a file of the project is newer than it.

    Args:
        project: The project.

    Returns:
        Path of `manifest.json`.

    Raises:
        BuildFailed: The project does not parse; the message says where.
    """
    manifest = project.manifest
    if not manifest.is_file() or _newest(project) > manifest.stat().st_mtime:
        run_dbt(project, "parse")
    return manifest


def _newest(project: Project) -> float:
    return max(path.stat().st_mtime for path in _files(project))


def _files(project: Project) -> Iterator[Path]:
    root = project_root()
    yield root / "dbt_project.yml"
    folders = [root / name for name in ("models", "macros", "seeds", "syncs")]
    company = project.company_folder
    for folder in [*folders, *([company] if company.is_dir() else [])]:
        yield from (path for path in folder.rglob("*") if path.suffix in _SOURCES)
