"""What the commands say, to a person at a terminal or to a script."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

# no markup: what is printed names sections of settings, `[run.load]`, which rich would swallow
out = Console(highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print one JSON document, as it is, for a script to read."""
    out.out(json.dumps(value, indent=2, default=str), highlight=False)


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    whole: Collection[str] = (),
) -> Table:
    """A table; columns whose values are numbers are set to the right, and what holds says yes.

    Args:
        title: What it is of.
        columns: Their names.
        rows: Their values.
        whole: Columns that are not broken into lines.
    """
    made = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for index, column in enumerate(columns):
        is_number = bool(rows) and all(
            isinstance(row[index], int | float) and not isinstance(row[index], bool) for row in rows
        )
        made.add_column(column, justify="right" if is_number else "left", no_wrap=column in whole)
    for row in rows:
        made.add_row(*map(_cell, row))
    return made


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def counting(title: str, *, is_quiet: bool = False) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on standard error, where a person is looking.

    Args:
        title: What is being done.
        is_quiet: Show nothing.

    Yields:
        A function of how many are done, of how many, and what is being done now.
    """
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[now]}"),
        console=err,
        transient=True,
        disable=is_quiet or not err.is_terminal,
    ) as progress:
        task = progress.add_task(title, total=None, now="")

        def tell(done: int, total: int, now: str) -> None:
            progress.update(task, completed=done, total=total, now=now)

        yield tell


@contextmanager
def waiting(title: str, *, is_quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A spinner on standard error; yields a function that changes what it says."""
    if is_quiet or not err.is_terminal:
        yield lambda _text: None
        return
    with err.status(title) as status:
        yield status.update
