"""`cio notebook NAME`: a notebook as a page in the browser, or as a file."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path  # noqa: TC003 - Typer reads the annotations at run time
from typing import Annotated

import typer

from cio.notebook_page import write_notebook_page
from cio.notebooks import NOTEBOOKS
from cio.terminal import out, table
from warehouse.connection import read_published
from warehouse.errors import CioError, UsageError
from warehouse.home import Home, project_root

_NO_MARIMO = (
    "notebooks need marimo, which is not installed. "
    "Run `.venv/bin/pip install --group notebooks`, then this again."
)


def notebook(  # noqa: PLR0913 - an argument an option
    name: Annotated[
        str | None, typer.Argument(help=f"Which: {', '.join(NOTEBOOKS)}. None lists them.")
    ] = None,
    *,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port to serve it on; a free one else.")
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Open it for editing.")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="Open no browser.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write it there as one page that needs no network.")
    ] = None,
    ipynb: Annotated[
        Path | None, typer.Option(help="Write it there as a Jupyter notebook, without outputs.")
    ] = None,
) -> None:
    """Open a notebook on what was last published, or write it as a file."""
    if name is None:
        out.print(table("Notebooks", ("name", "what it shows"), list(NOTEBOOKS.items())))
        return
    path = notebook_file(name)
    if find_spec("marimo") is None:
        raise CioError(_NO_MARIMO)
    if ipynb is not None:
        ipynb.parent.mkdir(parents=True, exist_ok=True)
        _marimo("export", "ipynb", str(path), "--force", "--output", str(ipynb.absolute()))
        out.print(f"notebook: {ipynb.absolute()}", soft_wrap=True)
    if html is not None:
        written = write_notebook_page(path, title=NOTEBOOKS[name], output=html)
        out.print(f"page: {written}", soft_wrap=True)
    if html is None and ipynb is None:
        # nothing published is better told here than in a page
        with read_published(Home.resolve()) as published:
            out.print(f"reads the build that finished {published.build.finished_at} UTC")
        options = [*(("--port", str(port)) if port else ()), *(("--headless",) if headless else ())]
        _marimo("--quiet", "edit" if edit else "run", str(path), *options)


def notebook_file(name: str) -> Path:
    """Where a notebook is.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in NOTEBOOKS:
        message = f"there is no notebook {name!r}; there are {', '.join(NOTEBOOKS)}"
        raise UsageError(message)
    return project_root() / "notebooks" / f"{name}.py"


def _marimo(*arguments: str) -> None:
    # the same project and the same home, wherever marimo is started from
    places = {"CIO_HOME": str(Home.resolve().root), "PYTHONPATH": str(project_root())}
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "marimo", *arguments], env=os.environ | places, check=False
    )
    if done.returncode:
        message = f"marimo ended with exit code {done.returncode}; what it said stands above."
        raise CioError(message)
