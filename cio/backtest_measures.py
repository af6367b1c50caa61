"""What a look back says of audiences: size, churn, overlaps, who bought anyway, whose opens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cio.scratch import table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import duckdb

    from warehouse.builds import Build

READINGS = {
    "people": "{sql}",
    "people_with_machine_opens": "select * replace (is_human or metric = 'opened' as is_human) "
    "from ({sql}) as facts",
    "people_without_machine_opens": "select * from ({sql}) as facts "
    "where metric <> 'opened' or is_human",
}
"""Ways to read the message events, by what is counted of them: the first as they are."""

_TABLES = """
create or replace temp table members (as_of timestamp, audience text, person_id text);
create or replace temp table counted (reading text, as_of timestamp, audience text, people bigint);
"""

_SIZES = """
with days as (
    select as_of, lag(as_of) over (order by as_of) as before
    from (select unnest($days::timestamp[]) as as_of) as given
),

sizes as (
    select as_of, audience, count(*) as people from members group by all
),

stayed as (
    select days.as_of, now.audience, count(*) as people
    from days
    inner join members as now on days.as_of = now.as_of
    inner join members as before
        on days.before = before.as_of and now.audience = before.audience
        and now.person_id = before.person_id
    group by all
),

weeks as (
    select before.as_of + interval 7 day as as_of, before.audience,
        count(*) filter (where now.person_id is null) / count(*)::double as churn
    from members as before
    left join members as now
        on before.audience = now.audience and before.person_id = now.person_id
        and before.as_of + interval 7 day = now.as_of
    group by all
),

bought as (
    select members.as_of, members.audience, count(distinct members.person_id) as people
    from members
    inner join {orders} as orders
        on members.person_id = orders.person_id
        and orders.ordered_at > members.as_of
        and orders.ordered_at <= members.as_of + to_days($bought_days)
        and not orders.is_cancelled
    group by all
),

opens as (
    select as_of, audience,
        max(people) filter (where reading = 'people_with_machine_opens') as with_machines,
        max(people) filter (where reading = 'people_without_machine_opens') as without_machines
    from counted group by all
),

until as (
    select complete_through from {watermarks} where feed = 'orders'
)

select strftime(days.as_of, '%Y-%m-%dT%H:%M:%S'), names.audience,
    coalesce(sizes.people, 0)::bigint as people,
    case when days.before is not null
        then coalesce(sizes.people, 0) - coalesce(stayed.people, 0)
    end::bigint as entered,
    case when days.before is not null
        then coalesce(earlier.people, 0) - coalesce(stayed.people, 0)
    end::bigint as left_people,
    case when days.as_of - interval 7 day in (select days.as_of from days)
        then weeks.churn
    end as weekly_churn_rate,
    case
        when days.as_of + to_days($bought_days) <= (select until.complete_through from until)
            then coalesce(bought.people, 0) / nullif(sizes.people, 0)::double
    end as bought_rate,
    opens.with_machines,
    opens.without_machines
from days
cross join (select unnest($names::text[]) as audience) as names
left join sizes on days.as_of = sizes.as_of and names.audience = sizes.audience
left join sizes as earlier on days.before = earlier.as_of and names.audience = earlier.audience
left join stayed on days.as_of = stayed.as_of and names.audience = stayed.audience
left join weeks on days.as_of = weeks.as_of and names.audience = weeks.audience
left join bought on days.as_of = bought.as_of and names.audience = bought.audience
left join opens on days.as_of = opens.as_of and names.audience = opens.audience
order by names.audience, days.as_of
"""

_OVERLAPS = """
with last_members as (
    select audience, person_id from members where as_of = $last
),

sizes as (
    select audience, count(*) as people from last_members group by audience
)

select one.audience, other.audience as other_audience, count(*)::bigint as shared_people,
    count(*) / (any_value(sizes.people) + any_value(others.people) - count(*))::double as overlap
from last_members as one
inner join last_members as other
    on one.person_id = other.person_id and one.audience <> other.audience
inner join sizes on one.audience = sizes.audience
inner join sizes as others on other.audience = others.audience
where list_contains($names, one.audience)
group by one.audience, other.audience
order by one.audience, overlap desc, other_audience
"""


@dataclass(frozen=True)
class Day:
    """One instant of a look back.

    Attributes:
        as_of: The instant, ISO 8601 in UTC.
        loads: The loads that were complete by then; null where what is known now was seen.
    """

    as_of: str
    loads: int | None


@dataclass(frozen=True)
class Size:
    """One audience at one instant; null where nothing can be said.

    Attributes:
        as_of: The instant, ISO 8601 in UTC.
        audience: The audience.
        people: People in it.
        entered: Of them, those who were not in it at the instant before.
        left: People who were in it at the instant before and are not.
        weekly_churn_rate: Of who was in it seven days before, the share that is not.
        bought_rate: The share that ordered in the days after; null until orders are known so far.
        people_with_machine_opens: People in it if what machines opened counts as a person's.
        people_without_machine_opens: People in it if what machines opened was never opened.
    """

    as_of: str
    audience: str
    people: int
    entered: int | None
    left: int | None
    weekly_churn_rate: float | None
    bought_rate: float | None
    people_with_machine_opens: int | None
    people_without_machine_opens: int | None


@dataclass(frozen=True)
class Overlap:
    """Two audiences at the last instant: of everyone in either, the share that is in both."""

    audience: str
    other_audience: str
    shared_people: int
    overlap: float


@dataclass(frozen=True)
class Measured:
    """What is measured of which audiences, at which instants."""

    names: tuple[str, ...]
    days: tuple[Day, ...]
    bought_days: int


@dataclass(frozen=True)
class Backtest:
    """What a look back found."""

    build_id: str
    days: tuple[Day, ...]
    bought_days: int
    sizes: tuple[Size, ...]
    overlaps: tuple[Overlap, ...]

    def to_json(self) -> dict[str, Any]:
        """The same for a script."""
        return asdict(self)


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that what was built is kept in while the next day is."""
    connection.execute(_TABLES)


def keep(
    connection: duckdb.DuckDBPyConnection, nodes: Sequence[Any], day: datetime, reading: str
) -> None:
    """Keep who is in the audiences in the scratch place, or by another reading how many."""
    for node in nodes:
        if reading == "people":
            sql = f"insert into members select $day, $name, person_id from {table(node)}"  # noqa: S608 - a model
            given = {"day": day, "name": node.name}
        else:
            sql = f"insert into counted select $reading, $day, $name, count(*) from {table(node)}"  # noqa: S608 - a model
            given = {"day": day, "name": node.name, "reading": reading}
        connection.execute(sql, given)


def measure(connection: duckdb.DuckDBPyConnection, build: Build, measured: Measured) -> Backtest:
    """Sizes by audience and instant, and overlaps at the last.

    Args:
        connection: A connection with what was kept, and the catalog `warehouse`.
        build: The build whose orders say who bought.
        measured: What to measure.
    """
    days = [day.as_of for day in measured.days]
    sizes = connection.execute(
        _SIZES.format(
            orders=f"warehouse.{build.schema_prefix}marts.orders",
            watermarks=f"warehouse.{build.schema_prefix}intermediate.int_feed_watermarks",
        ),
        {"days": days, "names": list(measured.names), "bought_days": measured.bought_days},
    ).fetchall()
    overlaps = connection.execute(
        _OVERLAPS, {"last": days[-1], "names": list(measured.names)}
    ).fetchall()
    return Backtest(
        build_id=build.build_id,
        days=measured.days,
        bought_days=measured.bought_days,
        sizes=tuple(Size(*row) for row in sizes),
        overlaps=tuple(Overlap(*row) for row in overlaps),
    )
