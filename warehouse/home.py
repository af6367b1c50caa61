"""The one folder that everything a run writes lies in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import UsageError

PROJECT_FILE = "dbt_project.yml"


def project_root() -> Path:
    """The folder of `dbt_project.yml`: around the working directory, else around this package."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    return Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Home:
    """The folder named by `CIO_HOME`, and the places in it."""

    root: Path

    @classmethod
    def resolve(cls) -> Home:
        """Find the folder (`CIO_HOME`, default `data/` in the project) and make it.

        Returns:
            The home, with its folders made for this user alone (mode 0700).

        Raises:
            UsageError: The folder cannot be made.
        """
        home = cls(project_root() / os.environ.get("CIO_HOME", "data"))
        home.make()
        return home

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that loads and builds write."""
        return self.root / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """Read-only copies of whole builds that passed."""
        return self.root / "published"

    @property
    def journals(self) -> Path:
        """What syncs sent and what came back, before it is landed."""
        return self.root / "journals"

    @property
    def locks(self) -> Path:
        """Lock files that keep two runs of one thing apart."""
        return self.root / "locks"

    @property
    def dlt(self) -> Path:
        """Working folders of loads in flight."""
        return self.root / "dlt"

    @property
    def spool(self) -> Path:
        """Events the receiver acknowledged and no load has taken yet."""
        return self.root / "spool"

    @property
    def target(self) -> Path:
        """Where dbt keeps its manifest: the project's own for the default home, else here."""
        root = project_root()
        return root / "target" if self.root == root / "data" else self.root / "target"

    def make(self) -> None:
        """Make the folders that are missing.

        Raises:
            UsageError: One cannot be made.
        """
        folders = (self.published, self.journals, self.locks, self.dlt, self.spool)
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in folders:
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            message = (
                f"cannot make the folder {error.filename or self.root}: {error.strerror}. "
                "Point CIO_HOME to a folder you can write to."
            )
            raise UsageError(message) from error
