"""The parsed project in this process: parsing costs more than what is then asked of it.

Nothing here opens the warehouse, so that nobody waits for it and it waits for nobody.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from cio.dbt import BuildFailed, Project, check_company
from cio.dbt_release import keep_shortcuts, take_known_shortcuts
from warehouse.home import Home, project_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Place:
    """Where a model is read from, as SQL names it."""

    database: str
    schema: str


class Compiled(NamedTuple):
    """The SQL of a model: statements to run before, mostly none, and the query that it is."""

    before: str
    query: str


@dataclass(frozen=True)
class Parsed:
    """A project and what dbt parsed of it.

    Attributes:
        project: The project.
        manifest: dbt's own manifest; its nodes are by `unique_id`.
    """

    project: Project
    manifest: Any

    def compile(
        self,
        models: Sequence[str],
        *,
        places: Mapping[str, Place],
        variables: Mapping[str, Any],
    ) -> dict[str, Compiled]:
        """The SQL of models, as it would run in an empty warehouse: of incremental ones, in full.

        Args:
            models: Their unique ids.
            places: Where each model and seed that they may read lies, by unique id.
            variables: dbt variables, over those of the project.

        Returns:
            SQL by unique id.

        Raises:
            BuildFailed: One does not compile; the message says which and why.
        """
        nodes = self.manifest.nodes
        # an incremental model asks whether its table is there: in a warehouse that nobody waits for
        with (
            TemporaryDirectory(prefix="cio-compile-") as folder,
            _placed(nodes, places),
            _with_hooks([nodes[one] for one in models]),
        ):
            project = replace(self.project, home=Home(Path(folder)))
            arguments = ["compile", "--no-populate-cache", "--threads", "1", *_options(project)]
            arguments += ["--vars", json.dumps({**project.variables, **variables})]
            # a name alone selects the tests of a model as well
            arguments += ["--select", *(f"{nodes[one].name},resource_type:model" for one in models)]
            try:
                result = _invoke(project, dbtRunner(manifest=self.manifest), arguments)
            finally:
                DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        compiled = {one.node.unique_id: one.node.compiled_code for one in result.results}
        return {model: _split(compiled[model]) for model in models}


def parse(project: Project) -> Parsed:
    """Parse a project, or take what was parsed of it before where nothing changed.

    Raises:
        UsageError: The company's folder lacks a seed.
        BuildFailed: The project does not parse.
    """
    check_company(project.company_folder)
    variables = ["--vars", json.dumps(dict(project.variables))] if project.variables else []
    arguments = ["parse", *_options(project), *variables]
    return Parsed(project, _invoke(project, dbtRunner(), arguments))


_QUERY = "\n-- what is before this line runs first\n"


@contextmanager
def _with_hooks(nodes: Sequence[Any]) -> Iterator[None]:
    """Let hooks be compiled as part of their models: dbt itself renders them only as they run."""
    hooked = [(node, node.raw_code) for node in nodes if node.config.pre_hook]
    try:
        for node, raw_code in hooked:
            hooks = "\n".join(hook.sql for hook in node.config.pre_hook)
            node.raw_code = f"{hooks}{_QUERY}{raw_code}"
        yield
    finally:
        for node, raw_code in hooked:
            node.raw_code = raw_code


def _split(sql: str) -> Compiled:
    before, _, query = sql.rpartition(_QUERY)
    return Compiled(before.strip(), query)


@contextmanager
def _placed(nodes: Mapping[str, Any], places: Mapping[str, Place]) -> Iterator[None]:
    before = {key: Place(nodes[key].database, nodes[key].schema) for key in places}
    try:
        _put(nodes, places)
        yield
    finally:
        _put(nodes, before)


def _put(nodes: Mapping[str, Any], places: Mapping[str, Place]) -> None:
    for key, place in places.items():
        nodes[key].database, nodes[key].schema = place.database, place.schema


def _options(project: Project) -> list[str]:
    root = str(project_root())
    return [
        *("--project-dir", root, "--profiles-dir", root, "--target", project.target),
        *("--target-path", str(project.target_path)),
        # the manifest that is there says what the last build was made of
        "--no-write-json",
        *("--quiet", "--log-level", "none", "--log-level-file", "none"),
    ]


def _invoke(project: Project, runner: dbtRunner, arguments: list[str]) -> Any:  # noqa: ANN401 - whatever dbt gives
    take_known_shortcuts()
    with _environment(project):
        outcome = runner.invoke(arguments)
    keep_shortcuts()
    if outcome.success:
        return outcome.result
    results = getattr(outcome.result, "results", None) or []
    said = [f"  {one.node.name}: {one.message}" for one in results if one.status == "error"]
    message = f"dbt {arguments[0]} failed.\n" + "\n".join(said or [f"  {outcome.exception}"])
    raise BuildFailed(message)


@contextmanager
def _environment(project: Project) -> Iterator[None]:
    here, before = os.getcwd(), dict(os.environ)  # noqa: PTH109 - dbt changes the working directory
    os.environ.update(project.environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        os.chdir(here)
