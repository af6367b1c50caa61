"""The parsed project in this process: parsing costs more than what is then asked of it.

Nothing here opens the warehouse, so that nobody waits for it and it waits for nobody.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbt.cli.main import dbtRunner

from cio.dbt import BuildFailed, Project, check_company
from warehouse.home import project_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Place:
    """Where a model is read from, as SQL names it."""

    database: str
    schema: str


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
        variables: Mapping[str, str],
    ) -> dict[str, str]:
        """The SQL of models, as it would run.

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
        arguments = ["compile", "--no-introspect", "--no-populate-cache", *_options(self.project)]
        arguments += ["--vars", json.dumps({**self.project.variables, **variables})]
        # a name alone selects the tests of a model as well
        arguments += ["--select", *(f"{nodes[one].name},resource_type:model" for one in models)]
        with _placed(nodes, places):
            result = _invoke(self.project, dbtRunner(manifest=self.manifest), arguments)
        compiled = {one.node.unique_id: one.node.compiled_code for one in result.results}
        return {model: compiled[model] for model in models}


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
    with _environment(project):
        outcome = runner.invoke(arguments)
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
