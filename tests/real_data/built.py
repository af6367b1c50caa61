"""Marts of real data: those that a test reads, with what they read, built and tested."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from cio.dbt import run_dbt
from warehouse.builds import COLUMNS, Build
from warehouse.connection import Published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cio.dbt import Project


def build_marts(project: Project, *names: str) -> None:
    """Build marts and all they read; the rest of a whole build takes twice as long again."""
    names = tuple(f"+{name}" for name in names)
    # a test that looks at other tables too is for a whole build
    run_dbt(
        project,
        "build",
        [
            *("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"),
            *("--select", *names),
        ],
    )


@contextmanager
def read_marts(project: Project) -> Iterator[Published]:
    """Read what was built; a part is never published."""
    path = project.home.warehouse
    with duckdb.connect(path, read_only=True) as connection:
        row = connection.execute(
            f"select {', '.join(COLUMNS)} from raw_dbt.builds order by started_at desc limit 1"
        ).fetchone()
        assert row is not None
        built = Build(*row)
        assert built.is_passed
        yield Published(connection=connection, build=built, path=path)
