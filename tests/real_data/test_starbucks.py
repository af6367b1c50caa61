"""The Starbucks rewards events through the whole loop, held against queries of the source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cio.dbt import Project
from loaders.run import load
from tests.real_data import starbucks
from tests.real_data.built import build_marts, read_marts
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

pytestmark = pytest.mark.slow

MARTS = ("message_events", "orders", "experiment_outcomes", "person_engagement_daily")
# Straight from the source: no delivery, no experiment, only who got an offer and who paid what.
DIRECT = """
with arms as (
    select
        waves.wave, waves.hour, waves.ends_hour, people.person,
        exists (
            select 1 from transcript
            where event = 'offer received' and hour = waves.hour and person = people.person
        ) as is_exposed
    from people cross join waves
),
spent as (
    select
        arms.wave, arms.person, arms.is_exposed,
        coalesce(sum(transcript.amount), 0) as revenue, count(transcript.person) as orders
    from arms
    left join transcript
        on transcript.event = 'transaction' and transcript.person = arms.person
        and transcript.hour >= arms.hour and transcript.hour < arms.ends_hour
    group by arms.wave, arms.person, arms.is_exposed
)
select
    'wave-' || wave, case when is_exposed then 'exposed' else 'holdout' end,
    count(*), count(*) filter (where orders > 0), sum(orders), cast(sum(revenue) as decimal(18, 4))
from spent group by all order by all
"""


@pytest.fixture(scope="module")
def world(
    real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[duckdb.DuckDBPyConnection, Project, dict[str, int]]:
    folder = tmp_path_factory.mktemp("starbucks")
    source = starbucks.open_source(real_data)
    inputs = starbucks.convert(source, folder)
    home = Home(folder / "home")
    home.make()
    complete = datetime.fromisoformat(starbucks.END).replace(tzinfo=UTC)
    reports = [
        load(home, "webhooks", [str(inputs.webhooks)], complete_through=complete),
        load(home, "orders", [str(inputs.orders)], complete_through=complete),
    ]
    project = Project(home=home, company=inputs.company, variables={"as_of": starbucks.END})
    build_marts(project, *MARTS)
    return source, project, {report.feed: report.loaded for report in reports}


def test_every_event_and_order_of_the_source_is_there(
    world: tuple[duckdb.DuckDBPyConnection, Project, dict[str, int]],
) -> None:
    source, project, loaded = world
    views, orders, paid = source.execute(
        """
        select count(*) filter (where event = 'offer viewed'),
            count(*) filter (where event = 'transaction'), sum(amount)
        from transcript
        """
    ).fetchall()[0]
    with read_marts(project) as published:
        opened, events = published.connection.execute(
            f"select count(*) filter (where metric = 'opened'), count(*)"
            f" from {published.table('marts', 'message_events')}"
        ).fetchall()[0]
        order_rows, total = published.connection.execute(
            f"select count(*), sum(total_amount) from {published.table('marts', 'orders')}"
        ).fetchall()[0]
    assert (views, orders, float(paid)) == (57725, 138953, 1775451.97)
    assert opened == views
    assert events == loaded["webhooks"]
    assert (order_rows, total) == (orders, paid)


def test_each_arm_of_each_wave_has_the_people_and_outcomes_of_the_source(
    world: tuple[duckdb.DuckDBPyConnection, Project, dict[str, int]],
) -> None:
    source, project, _ = world
    expected = source.execute(DIRECT).fetchall()
    with read_marts(project) as published:
        actual = published.connection.execute(
            f"""
            select
                experiment_id, arm, count(*), count(*) filter (where is_converted), sum(orders),
                cast(sum(revenue) as decimal(18, 4))
            from {published.table("marts", "experiment_outcomes")}
            group by all order by all
            """
        ).fetchall()
        people = published.connection.execute(
            f"select count(*) from {published.table('marts', 'experiment_people')}"
        ).fetchall()
    assert people == [(102_000,)]
    assert actual == expected


def test_ghost_sends_are_never_exposures(
    world: tuple[duckdb.DuckDBPyConnection, Project, dict[str, int]],
) -> None:
    source, project, _ = world
    received = source.execute(
        "select count(distinct (person, hour)) from transcript where event = 'offer received'"
    ).fetchall()
    with read_marts(project) as published:
        daily = published.connection.execute(
            "select sum(messages_received) from"
            f" {published.table('marts', 'person_engagement_daily')}"
        ).fetchall()
    assert daily == received == [(76277,)]
