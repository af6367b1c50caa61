"""Whom a changed definition lets in and out: audiences of the working tree beside the published.

The working tree's SQL runs over what was last published, as of the same instant, in a database in
memory: the warehouse is not opened, nothing is written, and a difference is the definition's alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cio.scratch import (
    SCRATCH,
    about,
    attach_scratch,
    built_places,
    chosen_audiences,
    create,
    layer,
    read_nodes,
    table,
)
from warehouse.connection import read_published
from warehouse.definitions import audience_macros, checksum
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from cio.parsed import Parsed, Place
    from warehouse.connection import Published

AUDIENCES, MARTS = "audiences", "marts"
TOP_REASONS = 5

_SIDES = """
create or replace temp table sides as
select
    coalesce(now.person_id, before.person_id) as person_id,
    case
        when before.person_id is null then 'entered'
        when now.person_id is null then 'left'
        else 'stayed'
    end as side,
    coalesce(now.reason, before.reason) as reason,
    before.person_id is not null and now.person_id is not null
    and (now.entered_at, now.expires_at) is distinct from (before.entered_at, before.expires_at)
        as is_moved
from {now} as now
full outer join {before} as before on now.person_id = before.person_id
"""
_NOBODY = (
    "(select null::text as person_id, null::timestamp as entered_at, null::timestamp as expires_at,"
    " null::text as reason where false)"
)
_COUNTS = """
select count(*) filter (where side = 'entered'), count(*) filter (where side = 'left'),
    count(*) filter (where side = 'stayed'), count(*) filter (where is_moved)
from sides
"""
_REASONS = """
select reason, count(*) as people from sides where side = $side
group by reason order by people desc, reason limit $limit
"""
_SAMPLE = "select person_id from sides where side = $side order by person_id limit $limit"
_CROWDED = "select count(*) from (select 1 from {now} group by person_id having count(*) > 1)"
_CAUTIONS = {
    "opted out": "select person_id from {marts}.person_consent"
    " where is_opted_out and channel in ('all', $channel)",
    "on a rung of the suppression ladder": "select person_id from {marts}.suppression_ladder",
    "held out of a running experiment": "select person_id from {marts}.experiment_people"
    " where is_held_out and (held_out_until is null or held_out_until > $as_of)",
}


@dataclass(frozen=True)
class Reason:
    """Why people are in, in the definition's own words, and how many."""

    reason: str
    people: int


@dataclass(frozen=True)
class Difference:
    """One audience of the working tree beside the published one.

    Attributes:
        audience: Its model.
        label: Its label.
        version: The version its YAML says.
        is_locked: Whether the lock has this logic under this version.
        is_new: Nothing of it is published.
        entered: People it lets in.
        left: People it lets out.
        stayed: People in both.
        moved: Of those, people who entered, or who leave by the clock, at another time.
        entered_reasons: Why people enter, the most frequent first.
        left_reasons: Why those who leave were in.
        entered_people: Some of those who enter, by `person_id`.
        left_people: Some of those who leave.
        cautions: Of those who enter: how many opted out, are suppressed, or are held out.
    """

    audience: str
    label: str
    version: object
    is_locked: bool
    is_new: bool
    entered: int
    left: int
    stayed: int
    moved: int
    entered_reasons: tuple[Reason, ...]
    left_reasons: tuple[Reason, ...]
    entered_people: tuple[str, ...]
    left_people: tuple[str, ...]
    cautions: Mapping[str, int]

    @property
    def is_changed(self) -> bool:
        """Whether anybody enters, leaves, or does so at another time."""
        return bool(self.is_new or self.entered or self.left or self.moved)


@dataclass(frozen=True)
class Diff:
    """What a working tree changes.

    Attributes:
        as_of: The instant of both sides, ISO 8601 in UTC.
        build_id: The published build.
        audiences: Each audience asked for, by name.
        marts_built: Marts that were built from the working tree too.
        marts_published: Marts that had to be taken as published, because what they read is not.
    """

    as_of: str
    build_id: str
    audiences: tuple[Difference, ...]
    marts_built: tuple[str, ...]
    marts_published: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The same for a script."""
        return asdict(self)


def diff(
    parsed: Parsed,
    names: Sequence[str],
    locked: Mapping[str, str],
    *,
    is_with_marts: bool = False,
    people: int = 5,
) -> Diff:
    """Build audiences of the working tree over what is published, and compare.

    Args:
        parsed: The working tree; its target is that of the published build.
        names: Audiences; every one where none is named.
        locked: The checksum that the lock has for each audience's version: `name@version`.
        is_with_marts: Build the marts they read from the working tree too, where what those read
            is published.
        people: How many people to name at the most, on each side.

    Returns:
        Who enters, leaves and stays.

    Raises:
        UsageError: There is no such audience.
        BuildFailed: A model does not compile.
        CioError: Nothing is published, or the SQL of a model fails.
    """
    with read_published(parsed.project.home) as published:
        connection = published.connection
        nodes = read_nodes(parsed.manifest)
        audiences = chosen_audiences(nodes, names)
        there = built_places(connection, published.build.schema_prefix, nodes)
        built, left = _to_build(nodes, audiences, there, is_with_marts=is_with_marts)
        compiled = parsed.compile(
            built,
            places={**there, **dict.fromkeys(built, SCRATCH)},
            variables={"as_of": _as_of(published)},
        )
        attach_scratch(connection)
        for key in built:
            create(connection, nodes[key], compiled[key])
        manifest = {"macros": _macros(parsed.manifest)}
        found = [
            _compare(published, nodes[key], manifest, locked, people=people) for key in audiences
        ]
    return Diff(
        as_of=_as_of(published),
        build_id=published.build.build_id,
        audiences=tuple(found),
        marts_built=tuple(sorted(nodes[key].name for key in built if layer(nodes[key]) == MARTS)),
        marts_published=tuple(sorted(nodes[key].name for key in left)),
    )


def _as_of(published: Published) -> str:
    instant = published.build.as_of or published.build.started_at
    return instant.isoformat(timespec="seconds")


def _to_build(
    nodes: Mapping[str, Any],
    audiences: Sequence[str],
    there: Mapping[str, Place],
    *,
    is_with_marts: bool,
) -> tuple[list[str], list[str]]:
    """What to build, in order, and the marts that are taken as published all the same."""
    layers = {AUDIENCES, MARTS} if is_with_marts else {AUDIENCES}
    built: dict[str, bool] = {}
    left: set[str] = set()

    def visit(key: str) -> bool:
        """Whether a model can be read: because it is published, or because it is built here."""
        if key in built:
            return True
        if key not in nodes or layer(nodes[key]) not in layers or key in left:
            return key in there
        parents = [one for one in nodes[key].depends_on_nodes if not one.startswith("source.")]
        has_all = len(parents) == len(nodes[key].depends_on_nodes)
        if has_all and all(visit(parent) for parent in parents):
            built[key] = True
            return True
        left.add(key)
        return key in there

    for audience in audiences:
        if not visit(audience):
            missing = ", ".join(_missing(nodes, audience, there, built))
            message = (
                f"{nodes[audience].original_file_path} reads {missing}, which is not published. "
                "Run `cio build` first."
            )
            raise CioError(message)
    return list(built), sorted(left)


def _missing(
    nodes: Mapping[str, Any], key: str, there: Mapping[str, Place], built: Mapping[str, bool]
) -> Iterator[str]:
    for parent in nodes[key].depends_on_nodes:
        if parent not in there and parent not in built:
            yield parent.rpartition(".")[2]


def _macros(manifest: Any) -> dict[str, Any]:  # noqa: ANN401 - dbt's manifest
    return {
        key: {
            "macro_sql": one.macro_sql,
            "original_file_path": one.original_file_path,
            "depends_on": {"macros": one.depends_on.macros},
        }
        for key, one in manifest.macros.items()
    }


def _compare(
    published: Published,
    node: Any,  # noqa: ANN401 - a node of dbt's manifest
    manifest: Mapping[str, Any],
    locked: Mapping[str, str],
    *,
    people: int,
) -> Difference:
    connection = published.connection
    now, before = table(node), published.table(AUDIENCES, node.name)
    _see_that_people_are_listed_once(connection, node, now)
    is_new = not connection.execute(
        "select 1 from information_schema.tables where table_catalog = 'warehouse' "
        "and table_schema = $schema and table_name = $name",
        {"schema": published.schema(AUDIENCES), "name": node.name},
    ).fetchall()
    connection.execute(_SIDES.format(now=now, before=_NOBODY if is_new else before))
    counts = connection.execute(_COUNTS).fetchall()[0]
    said = about(node)
    macros = audience_macros(manifest, {"depends_on": {"macros": node.depends_on.macros}})
    digest = checksum(node.raw_code, macros)
    return Difference(
        audience=node.name,
        label=str(said.get("label")),
        version=said.get("version"),
        is_locked=locked.get(f"{node.name}@{said.get('version')}") == digest,
        is_new=is_new,
        entered=counts[0],
        left=counts[1],
        stayed=counts[2],
        moved=counts[3],
        entered_reasons=_reasons(connection, "entered"),
        left_reasons=_reasons(connection, "left"),
        entered_people=_people(connection, "entered", people),
        left_people=_people(connection, "left", people),
        cautions=_cautions(published, said) if counts[0] else {},
    )


def _see_that_people_are_listed_once(
    connection: duckdb.DuckDBPyConnection,
    node: Any,  # noqa: ANN401 - a node of dbt's manifest
    now: str,
) -> None:
    twice = connection.execute(_CROWDED.format(now=now)).fetchall()[0][0]
    if twice:
        message = (
            f"{node.original_file_path} lists {twice} people more than once; an audience is one "
            "row a person. Group by person_id."
        )
        raise CioError(message)


def _reasons(connection: duckdb.DuckDBPyConnection, side: str) -> tuple[Reason, ...]:
    rows = connection.execute(_REASONS, {"side": side, "limit": TOP_REASONS}).fetchall()
    return tuple(Reason(*row) for row in rows)


def _people(connection: duckdb.DuckDBPyConnection, side: str, limit: int) -> tuple[str, ...]:
    rows = connection.execute(_SAMPLE, {"side": side, "limit": limit}).fetchall()
    return tuple(row[0] for row in rows)


def _cautions(published: Published, said: Mapping[str, Any]) -> dict[str, int]:
    """How many of those who enter somebody else keeps away from messages."""
    given = {"channel": said.get("consent"), "as_of": _as_of(published)}
    found = {}
    for caution, query in _CAUTIONS.items():
        sql = query.format(marts=published.schema(MARTS))
        used = {name: value for name, value in given.items() if f"${name}" in sql}
        rows = published.connection.execute(
            "select count(*) from sides "  # noqa: S608 - names of our own schemas
            f"where side = 'entered' and person_id in ({sql})",
            used,
        ).fetchall()
        if rows[0][0]:
            found[caution] = rows[0][0]
    return found
