"""Back-testing: the audiences as they would have been on past days, in a copy of the warehouse.

The models whose windows the day moves are built again for each day; what no day changes is built
once or taken as it is. As known then, all of it sees only what was loaded by that day, so that a
day's audiences equal what was built that day.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb

from cio.backtest_measures import (
    READINGS,
    Backtest,
    Day,
    Measured,
    keep,
    make_tables,
    measure,
)
from cio.parsed import Compiled
from cio.scratch import (
    SCRATCH,
    attach_scratch,
    built_places,
    chosen_audiences,
    create,
    layer,
    read_nodes,
    table,
)
from warehouse.builds import newest_whole_build
from warehouse.errors import CioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from cio.parsed import Parsed
    from warehouse.builds import Build
    from warehouse.home import Home

# Models are compiled once, as of a day in no warehouse, which is then written over.
NO_DAY = "1371-04-05 06:07:08"
NEVER_KNOWN = "1377-04-05T06:07:08+00:00"
_RECKONED = re.compile(r"\b137[012]")
"""What is left of that day in SQL that was reckoned from it."""
OPENS = "model.customerio_warehouse.int_message_events"
"""Where is decided who opened: a person or a machine."""

_MOST_DAYS = 1000


@dataclass(frozen=True)
class Period:
    """What to look back at.

    Attributes:
        days: The instants, in order, naive UTC.
        bought_days: Days after an instant in which an order counts as bought anyway.
        is_as_known: See only what was loaded by each instant.
        is_with_opens: Build each instant with machine opens counted, and without them, too.
    """

    days: tuple[datetime, ...]
    bought_days: int = 7
    is_as_known: bool = False
    is_with_opens: bool = False


def backtest(
    parsed: Parsed,
    names: Sequence[str],
    period: Period,
    *,
    others: Sequence[str] = (),
    on_progress: Callable[[int, int, str], None] = lambda *_: None,
) -> Backtest:
    """Build audiences as of past instants over a copy of the warehouse, and measure them.

    Args:
        parsed: The working tree. Its home has a copy of the warehouse, beside which the scratch
            place is made, and its target is that of the newest build.
        names: Audiences; every one where none is named.
        period: What to look back at.
        others: Audiences that overlaps are looked for with; every one where none is named.
        on_progress: Called with instants done, instants in all and the instant.

    Returns:
        Sizes by audience and instant, and overlaps at the last.

    Raises:
        UsageError: There is no such audience, or no instant to look at.
        BuildFailed: A model does not compile.
        CioError: No build passed, or the SQL of a model fails.
    """
    if not 0 < len(period.days) <= _MOST_DAYS:
        message = (
            f"{len(period.days)} days to look back at: give a --to that is not before --from, and "
            f"an --every that makes {_MOST_DAYS} days at the most"
        )
        raise UsageError(message)
    nodes = read_nodes(parsed.manifest)
    audiences = chosen_audiences(nodes, names)
    everyone = list(dict.fromkeys([*audiences, *chosen_audiences(nodes, others)]))
    with duckdb.connect() as connection:
        build = _attach(connection, parsed.project.home)
        # on disk: what is built again may be larger than memory
        attach_scratch(connection, str(parsed.project.home.root / "scratch.duckdb"))
        again = _compiled(parsed, connection, build, nodes, everyone, period)
        make_tables(connection)
        readings = list(READINGS) if period.is_with_opens else list(READINGS)[:1]
        steps = [(reading, day) for reading in readings for day in period.days]
        for number, (reading, day) in enumerate(steps):
            on_progress(number, len(steps), f"{day:%Y-%m-%d}")
            is_last = day == period.days[-1] and reading == readings[0]
            built = everyone if is_last else audiences
            again.build(built, day, reading)
            keep(connection, [nodes[key] for key in built], day, reading)
        days = tuple(
            Day(day.isoformat(), again.loads(day) if period.is_as_known else None)
            for day in period.days
        )
        measured = Measured(
            names=tuple(nodes[key].name for key in audiences),
            days=days,
            bought_days=period.bought_days,
        )
        return measure(connection, build, measured)


def built_target(copy: Home) -> str:
    """The target of the newest whole build of a warehouse.

    Raises:
        CioError: No build passed.
    """
    with duckdb.connect() as connection:
        return _attach(connection, copy).target


def _attach(connection: duckdb.DuckDBPyConnection, copy: Home) -> Build:
    connection.execute("set global TimeZone = 'UTC'")
    literal = str(copy.warehouse).replace("'", "''")
    connection.execute(f"attach '{literal}' as warehouse (read_only)")
    build = newest_whole_build(connection)
    if build is None:
        message = "no whole build has passed yet, so there is nothing to look back at: `cio build`"
        raise CioError(message)
    return build


def _compiled(  # noqa: PLR0913, PLR0917 - what models, over what, for what
    parsed: Parsed,
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    nodes: Mapping[str, Any],
    audiences: Sequence[str],
    period: Period,
) -> _Again:
    there = built_places(connection, build.schema_prefix, nodes)
    order = _upstream(nodes, audiences)
    known = {"known_at": NEVER_KNOWN} if period.is_as_known else {}
    places = {**there, **dict.fromkeys(order, SCRATCH)}
    compiled = parsed.compile(order, places=places, variables={"as_of": NO_DAY, **known})
    for key in order:
        if _RECKONED.search("".join(_dated(compiled[key], NO_DAY, ""))):
            message = (
                f"{nodes[key].original_file_path} reckons with as_of before it is SQL, so "
                "nobody can look back at it: use {{ as_of() }}, in_window and window_start"
            )
            raise CioError(message)
    moved: set[str] = set()
    opens: set[str] = {OPENS}
    for key in order:
        parents = set(nodes[key].depends_on_nodes)
        if NO_DAY in "".join(compiled[key]) or parents & moved:
            moved.add(key)
        if parents & opens:
            opens.add(key)
    taken = {
        key: Compiled("", f"from {there[key].database}.{there[key].schema}.{nodes[key].name}")
        for key in order
        if key in there and key not in moved and not period.is_as_known
    }
    return _Again(connection, nodes, compiled, taken, opens)


def _upstream(nodes: Mapping[str, Any], audiences: Iterable[str]) -> list[str]:
    """The models that audiences are made of, they among them, in the order of building."""
    found: dict[str, None] = {}

    def visit(key: str) -> None:
        if key in found or key not in nodes or nodes[key].resource_type != "model":
            return
        for parent in nodes[key].depends_on_nodes:
            visit(parent)
        found[key] = None

    for key in audiences:
        visit(key)
    return list(found)


@dataclass
class _Again:
    """The models in the scratch place, and of what each was made.

    Attributes:
        connection: With the catalogs `warehouse` and `scratch`.
        nodes: The models and seeds.
        compiled: SQL by unique id, as of no day.
        taken: Where what no day moves is taken from.
        opens: The models that know of opens.
        made: By unique id, a digest of the SQL of what is there now, and of what it read.
        rows: By unique id, the same of views, and of tables a digest of their rows: who reads a
            table that another day has not changed need not be made again.
    """

    connection: duckdb.DuckDBPyConnection
    nodes: Mapping[str, Any]
    compiled: Mapping[str, Compiled]
    taken: Mapping[str, Compiled]
    opens: set[str]
    made: dict[str, str] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)

    def build(self, audiences: Sequence[str], day: datetime, reading: str) -> None:
        """Make what these audiences need as of a day, where it is not there already."""
        loads = str(self.loads(day))
        for key in self._needed(audiences, reading):
            dated = _dated(self._sql(key, reading), NO_DAY, f"{day:%Y-%m-%d %H:%M:%S}")
            # two days by which the same loads were known are the same to a model without windows
            parents = [self.rows.get(parent, "") for parent in self.nodes[key].depends_on_nodes]
            parts = [*_dated(dated, NEVER_KNOWN, loads), *parents]
            digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
            if self.made.get(key) != digest:
                is_view = self._is_view(key, reading)
                self._make(key, _dated(dated, NEVER_KNOWN, _aware(day)), is_view=is_view)
                self.made[key] = digest
                self.rows[key] = digest if is_view else self._digest(key)

    def _is_view(self, key: str, reading: str) -> bool:
        node = self.nodes[key]
        # views of the marts are read by so many audiences that it is cheaper to make them tables
        is_view = node.config.materialized == "view" and layer(node) != "marts"
        return is_view or key in self._taken(reading)

    def _make(self, key: str, compiled: Compiled, *, is_view: bool) -> None:
        if key in self.made and is_view != (self.made[key] == self.rows[key]):
            kind = "table" if is_view else "view"
            self.connection.execute(f"drop {kind} {table(self.nodes[key])}")
        create(self.connection, self.nodes[key], compiled, is_view=is_view)

    def _digest(self, key: str) -> str:
        return str(
            self.connection.execute(
                "select count(*), sum(hash(made)::hugeint) "  # noqa: S608 - a model
                f"from {table(self.nodes[key])} as made"
            ).fetchone()
        )

    def loads(self, day: datetime) -> int:
        """How many loads were complete by an instant; there are never fewer later."""
        ledgers = self.connection.execute(
            "select schema_name from duckdb_tables() "
            "where database_name = 'warehouse' and table_name = '_dlt_loads'"
        ).fetchall()
        return sum(
            self.connection.execute(
                f"select count(*) from warehouse.{schema}._dlt_loads "  # noqa: S608 - a schema of the catalog
                "where status = 0 and inserted_at <= $day::timestamptz",
                {"day": _aware(day)},
            ).fetchall()[0][0]
            for (schema,) in ledgers
        )

    def _sql(self, key: str, reading: str) -> Compiled:
        compiled = self._taken(reading).get(key, self.compiled[key])
        if key != OPENS:
            return compiled
        return compiled._replace(query=READINGS[reading].format(sql=compiled.query))

    def _taken(self, reading: str) -> Mapping[str, Compiled]:
        if READINGS[reading] == READINGS["people"]:
            return self.taken
        # what knows of opens is made again from the one that is read differently
        return {k: sql for k, sql in self.taken.items() if k == OPENS or k not in self.opens}

    def _needed(self, audiences: Sequence[str], reading: str) -> list[str]:
        taken = self._taken(reading)
        found: dict[str, None] = {}

        def visit(key: str) -> None:
            if key in found or key not in self.compiled:
                return
            if key not in taken:
                for parent in self.nodes[key].depends_on_nodes:
                    visit(parent)
            found[key] = None

        for key in audiences:
            visit(key)
        return list(found)


def _dated(compiled: Compiled, no_day: str, day: str) -> Compiled:
    return Compiled(*(sql.replace(no_day, day) for sql in compiled))


def _aware(day: datetime) -> str:
    return f"{day.isoformat()}+00:00"
