"""The seeded world keeps its promises: same bytes, real shapes, and a truth that can be found."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from fakes.population import EXPORTS, WorldSettings, generate, main, unfold
from fakes.world import truth
from fakes.world.catalogue import ASSIGNED, EXPERIMENTS, MESSAGES
from fakes.world.orders import join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.population import World
    from fakes.world.catalogue import Experiment

SEEDS = Path(__file__).parents[2] / "fakes" / "company" / "seeds"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SMALL = WorldSettings(people=700, seed=3)

READ_LINES = """
create table read_lines as
select
    parse_filename(filename) as file,
    line
from read_csv(
    '{folder}/webhooks/*', columns = {{'line': 'varchar'}}, delim = '\\x01', quote = '',
    escape = '', header = false, filename = true, max_line_size = 1000000
)
"""
READ_EVENTS = """
create table events as
select
    parse_filename(filename) as file,
    event_id,
    object_type,
    metric,
    timestamp as occurred,
    unnest(data),
    unnest(data.identifiers)
from read_ndjson(
    '{folder}/webhooks/*',
    ignore_errors = true,
    filename = true,
    columns = {{
        event_id: 'varchar',
        object_type: 'varchar',
        metric: 'varchar',
        timestamp: 'bigint',
        data: 'struct(
            delivery_id varchar, campaign_id varchar, parent_action_id varchar, action_id varchar,
            content_id varchar, prefetched boolean, machine boolean,
            identifiers struct(id varchar, email varchar, cio_id varchar)
        )'
    }}
)
where event_id is not null and metric is not null
"""


RESOLVE_PEOPLE = """
create table ids as
select id, max(coalesce(primary_cio_id, cio_id)) as cio_id
from events left join merges on events.cio_id = merges.secondary_cio_id
where id is not null and cio_id is not null
group by id;

create table bought as
select
    coalesce(ids.cio_id, addresses.cio_id) as person,
    epoch(ordered_at::timestamp) as occurred,
    total_amount::double as revenue
from orders
left join ids on orders.customer_id = ids.id
left join (
    select people.email, min(coalesce(primary_cio_id, people.cio_id)) as cio_id
    from people left join merges on people.cio_id = merges.secondary_cio_id
    where customer_id is null
    group by people.email
) as addresses
    on orders.customer_id is null and lower(trim(orders.email)) = addresses.email
where is_cancelled = 'false'
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(WorldSettings(), tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def warehouse(world: World) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute(READ_LINES.format(folder=world.folder))
    connection.execute(READ_EVENTS.format(folder=world.folder))
    for name in ("orders", "order_items", "refunds", "cancellations", "people", "merges"):
        connection.read_csv(world.folder / f"{name}.csv", all_varchar=True).create(name)
    connection.execute(RESOLVE_PEOPLE)
    yield connection
    connection.close()


def digest(world: World) -> dict[str, str]:
    return {
        str(path.relative_to(world.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in world.files
    }


def one(warehouse: duckdb.DuckDBPyConnection, query: str, **names: str) -> Any:  # noqa: ANN401 - whatever the query's one value is
    row = warehouse.sql(query.format(**names)).fetchone()
    assert row is not None
    return row[0]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    first = digest(generate(SMALL, tmp_path / "first"))
    second = digest(generate(SMALL, tmp_path / "second"))
    other = digest(generate(replace(SMALL, seed=4), tmp_path / "other"))
    assert first == second
    assert all(first[name] != other[name] for name in first)


def test_a_folder_is_left_with_the_files_that_are_reported(tmp_path: Path) -> None:
    generate(SMALL, tmp_path)
    world = generate(replace(SMALL, days=21), tmp_path)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(world.files)
    assert sum(path.suffix == ".gz" for path in world.files) >= 1


def test_a_world_of_one_person_and_one_day_is_still_a_world(tmp_path: Path) -> None:
    world = generate(WorldSettings(people=1, days=1), tmp_path)
    assert world.counts["people"] == 1


def test_settings_refuse_a_machine_dependent_end_and_empty_worlds() -> None:
    with pytest.raises(ValueError, match="time zone"):
        WorldSettings(ends_at=datetime(2026, 9, 1))  # noqa: DTZ001 - the mistake under test
    with pytest.raises(ValueError, match="at least one person"):
        WorldSettings(people=0)


def test_the_command_writes_a_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--people", "50", "--days", "14"]) == 0
    assert "events" in capsys.readouterr().out
    assert json.loads((tmp_path / "truth.json").read_text())["counts"]["people"] == 50


def test_the_demo_world_has_its_size(world: World) -> None:
    assert 250_000 <= world.counts["events"] <= 400_000
    assert world.complete_through == datetime(2026, 9, 1, tzinfo=UTC)


def test_every_event_in_the_files_is_counted(
    world: World, warehouse: duckdb.DuckDBPyConnection
) -> None:
    rows = warehouse.sql(
        "select object_type || '/' || metric, count(distinct event_id) from events group by all"
    ).fetchall()
    assert {name: count for name, count in world.counts.items() if "/" in name} == dict(rows)
    assert one(warehouse, "select count(*) from read_lines") == world.counts["lines"]
    broken = one(warehouse, "select count(*) from read_lines") - one(
        warehouse, "select count(*) from events"
    )
    assert broken == world.counts["malformed"] >= 5


def test_rows_of_the_tables_are_counted(world: World, warehouse: duckdb.DuckDBPyConnection) -> None:
    for table, name in (
        ("orders", "orders"),
        ("order_items", "order_items"),
        ("refunds", "refunds"),
        ("cancellations", "cancellations"),
        ("people", "people_rows"),
        ("merges", "merges"),
    ):
        assert one(warehouse, "select count(*) from {table}", table=table) == world.counts[name] > 0


def test_metrics_come_in_a_sane_order(warehouse: duckdb.DuckDBPyConnection) -> None:
    for earlier, later in (
        ("drafted", "sent"),
        ("sent", "delivered"),
        ("delivered", "clicked"),
        ("delivered", "unsubscribed"),
        ("drafted", "undeliverable"),
    ):
        out_of_order = one(
            warehouse,
            """
            select count(*)
            from events as later
            left join (
                select delivery_id, min(occurred) as occurred
                from events where metric = '{earlier}' group by delivery_id
            ) as earlier on later.delivery_id = earlier.delivery_id
            where
                later.metric = '{later}'
                and later.delivery_id is not null
                and not (later.object_type = 'in_app' and '{earlier}' = 'delivered')
                and (earlier.occurred is null or earlier.occurred > later.occurred)
            """,
            earlier=earlier,
            later=later,
        )
        assert out_of_order == 0, (earlier, later)


def test_in_app_messages_are_never_delivered(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = "select count(*) from events where object_type = 'in_app' and metric = '{metric}'"
    assert one(warehouse, query, metric="delivered") == 0
    assert one(warehouse, query, metric="opened") > 0


def test_no_time_is_after_the_end(warehouse: duckdb.DuckDBPyConnection) -> None:
    end = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
    assert one(warehouse, "select max(occurred) from events") <= end
    for table, column in (
        ("orders", "ordered_at"),
        ("orders", "updated_at"),
        ("refunds", "refunded_at"),
        ("people", "updated_at"),
        ("merges", "merged_at"),
    ):
        latest = one(warehouse, "select max({c}) from {t}", c=column, t=table)
        assert latest <= "2026-09-01T00:00:00Z"


def test_event_ids_are_ulids_of_the_event_time(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.sql("select event_id, occurred from events using sample 3000 rows").fetchall()
    for event_id, at in rows:
        assert len(event_id) == 26
        assert set(event_id) <= set(CROCKFORD)
        milliseconds = 0
        for letter in event_id[:10]:
            milliseconds = milliseconds * 32 + CROCKFORD.index(letter)
        assert milliseconds // 1000 == at
    per_event = """
        select max(n) from (
            select count(distinct line) as n from read_lines
            where line like '{{"event_id":"%' group by line[14:39]
        )
    """
    assert one(warehouse, per_event) == 1


def test_lines_repeat_in_the_same_file_and_in_another(
    world: World, warehouse: duckdb.DuckDBPyConnection
) -> None:
    repeated, elsewhere = warehouse.sql(
        """
        select count(*), count(*) filter (where files > 1)
        from (
            select event_id, count(*) as n, count(distinct file) as files
            from events group by event_id having count(*) > 1
        )
        """
    ).fetchall()[0]
    assert repeated == world.counts["repeated"]
    assert 0.3 < elsewhere / repeated < 0.6


def test_some_lines_come_in_a_later_file_and_some_clicks_weeks_later(
    world: World, warehouse: duckdb.DuckDBPyConnection
) -> None:
    late = one(
        warehouse,
        """
        select count(distinct event_id) from events
        where make_timestamp(occurred * 1000000) < file[1:10]::timestamp
        """,
    )
    assert late >= world.counts["late"] > 1000
    late_clicks = one(
        warehouse,
        """
        select count(*) from events as clicks
        inner join events as deliveries using (delivery_id)
        where
            clicks.metric = 'clicked' and deliveries.metric = 'delivered'
            and clicks.occurred - deliveries.occurred > 14 * 86400
        """,
    )
    assert late_clicks > 10


def test_machines_open_and_click_soon_after_delivery(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    share = one(
        warehouse,
        """
        select count(distinct delivery_id) filter (where metric = 'opened' and prefetched)
            / count(distinct delivery_id) filter (where metric = 'delivered')
        from events where object_type = 'email'
        """,
    )
    assert 0.4 < share < 0.5
    assert one(warehouse, "select count(*) from events where metric = 'clicked' and machine") > 0
    unknown = """
        select count(*) from events
        where metric = 'opened' and object_type = 'email' and prefetched is null
    """
    assert one(warehouse, unknown) > 0


def test_identities_have_the_traps_of_real_ones(warehouse: duckdb.DuckDBPyConnection) -> None:
    shared = one(
        warehouse,
        """
        select count(*) from (
            select email from people
            where customer_id is not null group by email having count(distinct cio_id) > 1
        )
        """,
    )
    assert shared > 50
    assert one(warehouse, "select count(*) from people where customer_id is null") > 500
    assert one(warehouse, "select count(*) from orders where customer_id is null") > 500
    odd = "select count(*) from {table} where email <> lower(trim(email))"
    assert one(warehouse, odd, table="events") > 1000
    assert one(warehouse, odd, table="orders") > 100
    nobody = "select count(*) from events where coalesce(cio_id, id, email) is null"
    assert one(warehouse, nobody) > 50
    secondary = one(
        warehouse,
        "select count(*) from events where cio_id in (select secondary_cio_id from merges)",
    )
    assert secondary > 100
    after = one(
        warehouse,
        """
        select count(*) from events
        inner join merges on events.cio_id = merges.secondary_cio_id
        where
            events.metric = 'drafted'
            and make_timestamp(occurred * 1000000) >= merged_at::timestamp
        """,
    )
    assert after == 0


def test_orders_have_discounts_cancellations_and_refunds(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    codes = {
        row[0] for row in warehouse.sql("select distinct discount_code from orders").fetchall()
    }
    assert codes == {None, "WELCOME10", "SUMMER15", "COMEBACK20"}
    assert one(warehouse, "select count(*) from orders where is_cancelled = 'true'") > 100
    full, partial, too_much = warehouse.sql(
        """
        select
            count(*) filter (where amount::decimal(18, 2) = total_amount::decimal(18, 2)),
            count(*) filter (where amount::decimal(18, 2) < total_amount::decimal(18, 2)),
            count(*) filter (where amount::decimal(18, 2) > total_amount::decimal(18, 2))
        from refunds inner join orders using (order_id)
        """
    ).fetchall()[0]
    assert full > 100
    assert partial > 100
    assert too_much == 0


def test_lines_come_to_what_their_orders_do(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = """
        with lines as (
            select
                order_id,
                count(*) as lines,
                count(distinct product_family) as families,
                sum(total_amount::decimal(18, 2)) as total_amount,
                sum(discount_amount::decimal(18, 2)) as discount_amount
            from order_items
            group by order_id
        )

        select
            count(*) filter (where lines.total_amount <> orders.total_amount::decimal(18, 2)),
            count(*) filter (where lines.discount_amount <> orders.discount_amount::decimal(18, 2)),
            count(*) filter (where lines.lines <> lines.families),
            count(*) filter (where lines.lines is null),
            count(*) filter (where lines.lines = 2) / count(*) between 0.28 and 0.32
        from orders
        left join lines using (order_id)
    """
    assert warehouse.sql(query).fetchall() == [(0, 0, 0, 0, True)]
    uncancelled = "select count(*) from cancellations left join orders using (order_id) "
    assert one(warehouse, uncancelled + "where is_cancelled is distinct from 'true'") == 0


def test_a_day_of_ads_is_restated_and_each_campaign_has_every_day(world: World) -> None:
    spend = duckdb.read_csv(world.folder / "ad_spend.csv")
    query = """
        select
            count(distinct spent_on),
            count(distinct (campaign_id, spent_on)),
            count(*),
            bool_and(spend > 0 and clicks < impressions and updated_at <= '2026-09-01'),
            max(spent_on)::varchar
        from spend
    """
    assert duckdb.sql(query).fetchall() == [(90, 450, 465, True, "2026-08-31")]
    assert spend.shape[0] == world.counts["ad_spend_rows"]


def test_days_in_a_paid_audience_follow_a_click_and_few_of_them_an_order(
    world: World, warehouse: duckdb.DuckDBPyConnection
) -> None:
    days = warehouse.read_csv(str(world.folder / "paid_audience_days.csv"))
    assert days.shape[0] == world.counts["paid_audience_days"] > 1000
    days.create_view("days")
    query = """
        with clicks as (
            select cio_id, id, email, to_timestamp(occurred)::timestamp::date as clicked_on
            from events where metric = 'clicked' and machine is distinct from true
        ),
        clicked as (
            select days.customer_id, days.email, days.active_on,
                min(days.active_on - clicks.clicked_on) filter (
                    where days.active_on > clicks.clicked_on
                ) as days_after
            from days
            inner join clicks on days.customer_id = clicks.id
            group by all
        ),
        bought as (
            select distinct clicked.*
            from clicked
            inner join orders on clicked.customer_id = orders.customer_id
            where is_cancelled = 'false'
                and active_on - orders.ordered_at::timestamp::date between 1 and 3
        )
        select
            (select count(*) from days where customer_id is null and email is null),
            (select max(days_after) from clicked),
            (select min(active_on)::varchar || '/' || max(active_on)::varchar from days),
            (select count(*) from days) - (select count(distinct days) from days),
            (select count(*) from bought) > 0,
            (select count(*) from bought) < (select count(*) from clicked) * 0.05
    """
    assert warehouse.sql(query).fetchall() == [(0, 3, "2026-07-03/2026-08-31", 0, True, True)]


def test_exports_tell_what_was_sent_and_which_path_a_split_chose(tmp_path: Path) -> None:
    world = generate(SMALL, tmp_path, more_feeds=frozenset({EXPORTS}))
    files = {
        name: f"read_parquet('{tmp_path}/exports/{name}_v*.parquet', union_by_name = true)"
        for name in ("deliveries", "delivery_content", "outputs", "subjects")
    }
    contents = duckdb.sql(
        f"select count(distinct delivery_id), count(recipient) > 0 from {files['delivery_content']}"
        f" where delivery_id in (select delivery_id from {files['deliveries']})"
    )
    assert contents.fetchall() == [(world.counts["deliveries"], True)]
    outputs = duckdb.sql(
        "select count(*) > 0, bool_and((delivery_id is null) = (split_test_index is not null)), "
        "count(*) filter (where delivery_id is null and action_id not in (1100, 1300)) "
        f"from {files['outputs']} "
        f"where subject_name in (select subject_name from {files['subjects']})"
    )
    assert outputs.fetchall() == [(True, True, 0)]
    paths = duckdb.sql(
        "select max(paths) from (select count(distinct split_test_index) as paths "
        f"from {files['outputs']} where split_test_index is not null "
        "group by subject_name, action_id)"
    )
    assert paths.fetchall() == [(1,)]


def test_a_held_out_person_has_a_draft_and_nothing_more(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    trapped = """
        select string_agg(distinct metric) from events
        where action_id in ('1102', '1303') or content_id = '5702'
    """
    assert one(warehouse, trapped) == "drafted"


def test_the_world_has_the_people_that_the_audiences_are_about(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    hammered = one(
        warehouse,
        """
        select count(*) from (
            select cio_id from events
            where
                metric = 'delivered' and (action_id = '2301' or content_id is not null)
                and occurred > epoch(timestamp '2026-08-27')
            group by cio_id having count(distinct delivery_id) >= 3
        )
        """,
    )
    ignores_email_clicks_sms = one(
        warehouse,
        """
        select count(*) from (
            select cio_id from events group by cio_id
            having
                count(*) filter (where object_type = 'email' and metric = 'delivered') >= 3
                and count(*) filter (
                    where object_type = 'email' and metric = 'clicked' and machine is not true
                ) = 0
                and count(*) filter (where object_type = 'sms' and metric = 'clicked') >= 1
        )
        """,
    )
    assert hammered > 500
    assert ignores_email_clicks_sms > 200


def test_the_seeds_of_the_company_agree_with_what_is_sent(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    experiments = list(csv.DictReader((SEEDS / "experiments.csv").open()))
    assert [row["experiment_id"] for row in experiments] == [e.experiment_id for e in EXPERIMENTS]
    end = WorldSettings().ends_at.replace(tzinfo=None)
    for row, experiment in zip(experiments, EXPERIMENTS, strict=True):
        assert row["kind"] == experiment.kind
        assert row["label"] == experiment.label
        assert int(row["window_hours"]) == experiment.window_hours
        assert row["primary_metric"] == experiment.primary_metric
        assert float(row["holdout_share"]) == experiment.holdout_share
        assert row["covers"] == experiment.covers
        assert row["owner"] == experiment.owner
        assert (end - datetime.fromisoformat(row["starts_at"])).days == (
            experiment.starts_days_before_end
        )
        assert (
            end - datetime.fromisoformat(row["ends_at"])
        ).days == experiment.ends_days_before_end
    rows = list(csv.DictReader((SEEDS / "experiment_arms.csv").open()))
    arms = [(e.experiment_id, arm) for e in EXPERIMENTS for arm in e.arms]
    assert [(r["experiment_id"], r["arm"]) for r in rows] == [(e, arm.name) for e, arm in arms]
    messages = {message.name: message for message in MESSAGES}
    for row, (_, arm) in zip(rows, arms, strict=True):
        assert row["is_control"] == str(arm.is_control).lower()
        assert row["planned_share"] in ("", str(arm.share))
        keys = ("campaign_id", "parent_action_id", "action_id", "content_id")
        known = {key: row[key] for key in keys if row[key]}
        if arm.message is None:
            assert not known
            continue
        assert all(str(getattr(messages[arm.message], key)) == known[key] for key in known)
        match = " and ".join(f"{key} = '{value}'" for key, value in known.items())
        assert one(warehouse, "select count(*) from events where {match}", match=match) > 100


ASSIGNED_PEOPLE = """
with drafts as (
    select
        coalesce(merges.primary_cio_id, events.cio_id, ids.cio_id) as person,
        case {arms} end as arm,
        occurred
    from events
    left join merges on events.cio_id = merges.secondary_cio_id
    left join ids on events.id = ids.id
    where metric = 'drafted' and case {arms} end is not null
),

assigned as (
    select person, min(arm) as arm, min(occurred) as index_at
    from drafts
    group by person having count(distinct arm) = 1
),

outcomes as (
    select
        arm,
        assigned.person,
        count(bought.occurred) as orders_per_person,
        (count(bought.occurred) > 0)::integer as conversion_rate,
        coalesce(sum(revenue), 0) as revenue_per_person
    from assigned
    left join bought
        on
            assigned.person = bought.person
            and bought.occurred >= index_at
            and bought.occurred < index_at + {window}
    where index_at + {window} <= epoch(timestamp '2026-09-01')
    group by all
)

select arm, count(*), {columns} from outcomes group by arm
"""


@pytest.mark.parametrize("experiment", ASSIGNED, ids=lambda item: item.experiment_id)
def test_the_planted_effect_is_found_in_the_files(
    world: World, warehouse: duckdb.DuckDBPyConnection, experiment: Experiment
) -> None:
    messages = {message.name: message for message in MESSAGES}
    cases = []
    for arm in experiment.arms:
        message = messages[arm.message or ""]
        key = "action_id" if message.action_id else "content_id"
        cases.append(f"when {key} = '{getattr(message, key)}' then '{arm.name}'")
    query = ASSIGNED_PEOPLE.format(
        arms=" ".join(cases),
        window=experiment.window_hours * 3600,
        columns=", ".join(f"avg({name}), var_samp({name}) / count(*)" for name in truth.METRICS),
    )
    found = {row[0]: row[1:] for row in warehouse.sql(query).fetchall()}
    told = world.truth["experiments"][experiment.experiment_id]["arms"]
    assert {arm: row[0] for arm, row in found.items()} == {
        arm: story["mature_people"] for arm, story in told.items()
    }
    for arm in experiment.arms[1:]:
        for place, metric in enumerate(truth.METRICS):
            mean, error = found[arm.name][1 + 2 * place : 3 + 2 * place]
            control_mean, control_error = found["held_out"][1 + 2 * place : 3 + 2 * place]
            true_effect = told[arm.name]["metrics"][metric]["true_effect"]
            half_width = 1.96 * math.sqrt(error + control_error)
            assert abs(mean - control_mean - true_effect) < half_width, (arm.name, metric)


def test_the_cart_lift_is_large_enough_to_see_and_the_null_is_exact(world: World) -> None:
    experiments = world.truth["experiments"]
    cart = experiments["cart_recovery_holdout"]["arms"]
    effect = cart["messaged"]["metrics"]["conversion_rate"]["true_effect"]
    rate = cart["messaged"]["metrics"]["conversion_rate"]["potential_mean"]
    error = math.sqrt(rate * (1 - rate) / cart["held_out"]["mature_people"])
    assert effect > 4 * error
    null = experiments["newsletter_holdout"]["arms"]["messaged"]["metrics"]
    assert [null[metric]["true_effect"] for metric in truth.METRICS] == [0.0, 0.0, 0.0]
    assert experiments["replenishment_holdout"]["has_random_assignment"] is False


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Forty worlds of their own: a wrong truth, or arms that are not random, would show here."""
    covered: dict[str, list[bool]] = {metric: [] for metric in truth.METRICS}
    for seed in range(40):
        settings = WorldSettings(seed=seed, people=2500)
        town, _, own, sent, arms, played = unfold(settings)
        told = truth.tell(town, sent, played, arms, own)["experiments"]
        assert isinstance(told, dict)
        placed = join([own, played.caused])
        for number, experiment in enumerate(ASSIGNED):
            who = truth.participants(town, sent, played, arms, number)
            person, index_at = who.person[who.is_mature], who.index_at[who.is_mature]
            hours = experiment.window_hours
            seen = truth.outcomes(placed, settings.people, person, index_at, hours)
            arm = who.arm[who.is_mature]
            for place, treated in list(enumerate(experiment.arms))[1:]:
                planted = told[experiment.experiment_id]["arms"][treated.name]["metrics"]
                for metric, held in covered.items():
                    parts = [seen[metric][arm == one] for one in (0, place)]
                    error = math.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))
                    difference = parts[1].mean() - parts[0].mean()
                    held.append(abs(difference - planted[metric]["true_effect"]) < 1.96 * error)
    rates = {metric: float(np.mean(held)) for metric, held in covered.items()}
    assert {metric: rate for metric, rate in rates.items() if not 0.9 <= rate <= 0.99} == {}
