"""Run dbt as a process of its own, and say what it said in words a user can act on."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from warehouse.errors import CioError, UsageError
from warehouse.home import project_root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from warehouse.home import Home


class BuildFailed(CioError):  # noqa: N818 - says what the caller meets
    """dbt could not build, or a test did not pass; nothing was published."""


@dataclass(frozen=True)
class Project:
    """Which dbt project to run, as whom.

    Attributes:
        home: Where the warehouse is.
        target: The target of profiles.yml.
        company: Folder of the company's own seeds, models and syncs; none for the default.
        variables: dbt variables; cron gives none, because they force a full parse.
    """

    home: Home
    target: str = "dev"
    company: Path | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target_path(self) -> Path:
        """Where dbt keeps its manifest."""
        return self.home.target

    @property
    def manifest(self) -> Path:
        """The manifest of the last parse."""
        return self.target_path / "manifest.json"

    @property
    def company_folder(self) -> Path:
        """The company's folder: as given, else `CIO_COMPANY`, else `company/` in the project."""
        return self.company or project_root() / os.environ.get("CIO_COMPANY", "company")

    def environment(self) -> dict[str, str]:
        """The environment dbt runs in."""
        environment = os.environ | {
            "CIO_HOME": str(self.home.root),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DBT_PARTIAL_PARSE": "true",
        }
        environment["CIO_COMPANY"] = inside_project(self.company_folder)
        return environment


def inside_project(company: Path) -> str:
    """A path of the company's folder inside the project, through a link where it lies elsewhere.

    dbt writes what it compiles to a source's own path below its target folder, so a source outside
    the project may make it write over a file that is not its own.

    Args:
        company: The company's folder, anywhere.

    Returns:
        The path, relative to the project's root.
    """
    root = project_root()
    folder = company.resolve()
    if folder.is_relative_to(root):
        return str(folder.relative_to(root))
    link = root / "target" / f"company-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    link.parent.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(folder, target_is_directory=True)
    return str(link.relative_to(root))


def check_company(company: Path) -> None:
    """See that a company's folder has the seeds that the models of this version read.

    An upgrade may bring a seed that a folder of one's own does not have yet; dbt alone would name
    a node that nobody wrote.

    Args:
        company: The company's folder.

    Raises:
        UsageError: It is not there, or lacks a seed or a column of one.
    """
    own = project_root() / "company"
    if not company.is_dir():
        message = f"there is no folder {company}; set CIO_COMPANY to that of your company"
        raise UsageError(message)
    missing = [
        seed.name
        for seed in sorted((own / "seeds").glob("*.csv"))
        if not (company / "seeds" / seed.name).is_file()
    ]
    if missing:
        files = " ".join(str(own / "seeds" / name) for name in missing)
        message = (
            f"{company / 'seeds'} lacks {', '.join(missing)}, which the models of this version "
            f"read. Take the ones that come with it, and edit them: cp {files} {company / 'seeds'}/"
        )
        raise UsageError(message)
    for seed in sorted((own / "seeds").glob("*.csv")):
        older = company / "seeds" / seed.name
        lacking = sorted(_header(seed) - _header(older))
        if lacking:
            message = (
                f"{older} lacks the column {', '.join(lacking)}, which the models of this version "
                "read. Add it, with nothing in it where you do not know, and run "
                "`cio build --full-refresh` once"
            )
            raise UsageError(message)


def _header(seed: Path) -> set[str]:
    with seed.open(encoding="utf-8-sig", newline="") as file:
        return {name.strip() for name in next(csv.reader(file), [])}


def run_dbt(
    project: Project,
    command: str,
    arguments: Sequence[str] = (),
    *,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Run one dbt command.

    Args:
        project: The project to run.
        command: `build`, `parse`, ….
        arguments: Further arguments.
        on_progress: Called with nodes done, nodes in all and the node's name.

    Raises:
        UsageError: The company's folder lacks a seed that the models read.
        BuildFailed: dbt failed; the message lists what failed and why.
    """
    check_company(project.company_folder)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, arguments not from a shell
        [
            *(sys.executable, "-m", "cio.dbt_process", command),
            *("--project-dir", str(project_root()), "--profiles-dir", str(project_root())),
            *("--target", project.target, "--target-path", str(project.target_path)),
            *(("--vars", json.dumps(dict(project.variables))) if project.variables else ()),
            *arguments,
        ],
        cwd=project_root(),
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    problems: list[str] = []
    rest: list[str] = []
    with process:
        for line in process.stdout or ():
            _read(line, problems=problems, rest=rest, on_progress=on_progress)
    if process.returncode:
        said = problems or rest[-5:] or [f"exit code {process.returncode}"]
        message = f"dbt {command} failed; nothing was published.\n" + "\n".join(said)
        raise BuildFailed(message)


def _read(
    line: str,
    *,
    problems: list[str],
    rest: list[str],
    on_progress: Callable[[int, int, str], None] | None,
) -> None:
    try:
        told = json.loads(line)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        rest.append(line.rstrip())
    elif "error" in told:
        problems.append("  " + told["error"])
    elif on_progress:
        on_progress(told["done"], told["total"], told["node"])
