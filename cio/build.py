"""`cio build`: build the models, and publish what passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cio.dbt import Project, run_dbt
from warehouse.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def build(
    project: Project,
    *,
    select: Sequence[str] = (),
    is_full_refresh: bool = False,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Path | None:
    """Build and test the models; publish the build if it was whole and passed.

    Unit tests check the project's logic, not the company's data, and run in the tests.

    Args:
        project: The project to build.
        select: dbt selectors; everything when empty. A part is never published.
        is_full_refresh: Build incremental models anew from everything loaded.
        on_progress: Called with nodes done, nodes in all and the node's name.

    Returns:
        The published file, or none when only a part was built.

    Raises:
        BuildFailed: A model or test failed; the last published build stays.
    """
    arguments = ["--exclude-resource-type", "unit_test"]
    if select:
        arguments += ["--select", *select]
    if is_full_refresh:
        arguments.append("--full-refresh")
    run_dbt(project, "build", arguments, on_progress=on_progress)
    return None if select else publish(project.home)
