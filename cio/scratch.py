"""Models built again in a scratch place, over what was built: nothing there is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from cio.parsed import Place
from warehouse.errors import CioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cio.parsed import Compiled

SCRATCH = Place("scratch", "scratch")


def attach_scratch(connection: duckdb.DuckDBPyConnection, path: str = ":memory:") -> None:
    """Make the scratch place: a database of its own, in memory or in a file."""
    literal = path.replace("'", "''")
    connection.execute(f"attach '{literal}' as scratch; create schema scratch.scratch")


def create(
    connection: duckdb.DuckDBPyConnection,
    node: Any,  # noqa: ANN401 - a node of dbt's manifest
    compiled: Compiled,
    *,
    is_view: bool | None = None,
) -> None:
    """Make a model in the scratch place, in the place of what it was there before.

    Args:
        connection: A connection with the scratch place.
        node: The model.
        compiled: Its SQL.
        is_view: Whether it is to be a view; left out, whether it is one.

    Raises:
        CioError: It does not run; the message names its file.
    """
    if is_view is None:
        is_view = node.config.materialized == "view"
    kind = "view" if is_view else "table"
    try:
        if compiled.before:
            connection.execute(compiled.before)
        connection.execute(f"create or replace {kind} {table(node)} as {compiled.query}")
    except duckdb.Error as error:
        message = (
            f"{node.original_file_path} does not run over what is there: {error}\n"
            "If the project is newer than the last build, run `cio build` first."
        )
        raise CioError(message) from error


def table(node: Any) -> str:  # noqa: ANN401 - a node of dbt's manifest
    """A model in the scratch place, as SQL names it."""
    return f"{SCRATCH.database}.{SCRATCH.schema}.{node.name}"


def read_nodes(manifest: Any) -> dict[str, Any]:  # noqa: ANN401 - dbt's manifest
    """The models and seeds of a manifest, by unique id."""
    return {
        key: node for key, node in manifest.nodes.items() if node.resource_type in ("model", "seed")
    }


def layer(node: Any) -> str:  # noqa: ANN401 - a node of dbt's manifest
    """The layer a model lies in: `marts`."""
    return str(node.config.schema)


def about(node: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a node of dbt's manifest
    """What a model's YAML says of it as an audience; nothing where it is none."""
    said: Mapping[str, Any] = node.config.meta.get("audience") or {}
    return said


def chosen_audiences(nodes: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """The unique ids of audiences by their names; of every one where none is named.

    Raises:
        UsageError: There is no such audience.
    """
    known = {node.name: key for key, node in nodes.items() if about(node)}
    if unknown := sorted(set(names) - set(known)):
        message = f"there is no audience {', '.join(unknown)}; `cio audiences list` shows them"
        raise UsageError(message)
    return [known[name] for name in sorted(set(names or known))]


def built_places(
    connection: duckdb.DuckDBPyConnection, prefix: str, nodes: Mapping[str, Any]
) -> dict[str, Place]:
    """Where what is built of models and seeds lies, by unique id.

    Args:
        connection: A connection with the catalog `warehouse`.
        prefix: What precedes the schemas of the build.
        nodes: The models and seeds.
    """
    there = set(
        connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_catalog = 'warehouse'"
        ).fetchall()
    )
    return {
        key: Place("warehouse", f"{prefix}{layer(node)}")
        for key, node in nodes.items()
        if (f"{prefix}{layer(node)}", node.name) in there
    }
