"""Turns the Starbucks rewards events into Customer.io webhooks, orders and experiment seeds.

Offers went out in six waves, about three quarters of the people in each, drawn at random: so each
wave is a campaign with a holdout of a quarter. `time` is hours since the start.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

START = "2026-01-01 00:00:00"
END = "2026-01-30 19:00:00"
WAVE_HOURS = (0, 168, 336, 408, 504, 576)
LAST_HOUR = 715
WINDOWS = tuple(
    end - start for start, end in zip(WAVE_HOURS, (*WAVE_HOURS[1:], LAST_HOUR), strict=True)
)


@dataclass(frozen=True)
class Inputs:
    """Files as the loaders take them."""

    webhooks: Path
    orders: Path
    company: Path


def open_source(folder: Path) -> duckdb.DuckDBPyConnection:
    """The source as tables: `people`, `transcript` and `waves`."""
    connection = duckdb.connect()
    connection.execute(
        f"""
        create table people as
        select id as person
        from read_json('{folder}/starbucks/profile.json', format='newline_delimited');
        create table transcript as
        select
            row_number() over () as line,
            person, event, time as hour,
            coalesce(value->>'offer id', value->>'offer_id') as offer,
            cast(value->>'amount' as decimal(18, 4)) as amount,
            cast(value->>'reward' as decimal(18, 4)) as reward
        from read_json(
            '{folder}/starbucks/transcript.json.gz', format='newline_delimited',
            columns={{person: 'varchar', event: 'varchar', value: 'json', time: 'bigint'}}
        );
        create table waves (wave bigint, hour bigint, ends_hour bigint);
        """
    )
    ends = (*WAVE_HOURS[1:], LAST_HOUR)
    for wave, (start, end) in enumerate(zip(WAVE_HOURS, ends, strict=True), start=1):
        connection.execute("insert into waves values (?, ?, ?)", [wave, start, end])
    return connection


def convert(source: duckdb.DuckDBPyConnection, folder: Path) -> Inputs:
    """Write webhook JSON lines, orders and seeds in the shapes the loaders take."""
    inputs = Inputs(folder / "webhooks.jsonl", folder / "orders.csv", folder / "company")
    source.execute(_WEBHOOKS)
    source.execute(f"copy webhooks to '{inputs.webhooks}' (format json)")
    source.execute(f"copy ({_ORDERS}) to '{inputs.orders}' (format csv, header)")
    seeds = make_company(inputs.company)
    source.execute(f"copy ({_EXPERIMENTS}) to '{seeds}/experiments.csv' (format csv, header)")
    source.execute(f"copy ({_ARMS}) to '{seeds}/experiment_arms.csv' (format csv, header)")
    return inputs


def make_company(folder: Path) -> Path:
    """Make a company's folder with the seeds a new one has; returns where its seeds are."""
    shutil.copytree(ROOT / "company", folder)
    return folder / "seeds"


_WEBHOOKS = f"""
create or replace temp table deliveries as
select waves.wave, waves.hour, received.person, received.offer
from transcript as received
inner join waves on received.hour = waves.hour
where received.event = 'offer received'
union all
select waves.wave, waves.hour, people.person, 'holdout'
from people cross join waves
where not exists (
    select 1 from transcript as received
    where received.event = 'offer received'
        and received.hour = waves.hour and received.person = people.person
);

create or replace temp table occurrences as
select wave, person, offer, hour, metric, 0 as nth
from deliveries, (values ('drafted'), ('sent'), ('delivered')) as metrics(metric)
where offer <> 'holdout' or metric = 'drafted'
union all
select receipt.wave, viewed.person, viewed.offer, viewed.hour, 'opened', viewed.line
from transcript as viewed
asof join (select * from deliveries order by hour) as receipt
    on viewed.person = receipt.person and viewed.offer = receipt.offer
    and viewed.hour >= receipt.hour
where viewed.event = 'offer viewed'
union all
select
    receipt.wave, completed.person, completed.offer, completed.hour, 'converted', completed.line
from transcript as completed
asof join (select * from deliveries order by hour) as receipt
    on completed.person = receipt.person and completed.offer = receipt.offer
    and completed.hour >= receipt.hour
where completed.event = 'offer completed';

create or replace temp table webhooks as
select
    md5(wave || person || metric || nth) as event_id,
    'email' as object_type,
    metric,
    epoch(timestamp '{START}' + to_hours(hour))::bigint as "timestamp",
    {{
        'delivery_id': 'wave' || wave || '-' || person,
        'campaign_id': wave,
        'parent_action_id': 100 + wave,
        'action_id': 'wave' || wave || '-' || offer,
        'identifiers': {{'id': person, 'email': null, 'cio_id': null}}
    }} as data
from occurrences
order by "timestamp", person, metric, nth
"""

_ORDERS = f"""
select
    'order-' || paid.line as order_id,
    paid.person as customer_id,
    timestamp '{START}' + to_hours(paid.hour) as ordered_at,
    'USD' as currency,
    paid.amount as total_amount,
    coalesce(rewards.reward, 0) as discount_amount
from transcript as paid
left join (
    select person, hour, sum(reward) as reward
    from transcript
    where event = 'offer completed'
    group by person, hour
) as rewards on paid.person = rewards.person and paid.hour = rewards.hour
where paid.event = 'transaction'
order by paid.line
"""

_EXPERIMENTS = f"""
select
    'wave-' || wave as experiment_id,
    'Offer wave ' || wave as label,
    'campaign' as kind,
    strftime(timestamp '{START}' + to_hours(hour), '%Y-%m-%d %H:%M:%S') as starts_at,
    null as ends_at,
    ends_hour - hour as window_hours,
    'revenue_per_person' as primary_metric,
    0.25 as holdout_share,
    cast(wave as varchar) as covers,
    'retention' as owner
from waves
order by wave
"""

_ARMS = """
select
    'wave-' || wave as experiment_id,
    case when offer = 'holdout' then 'holdout' else 'exposed' end as arm,
    offer = 'holdout' as is_control,
    wave as campaign_id,
    100 + wave as parent_action_id,
    'wave' || wave || '-' || offer as action_id,
    null as content_id,
    null as branch_index,
    null as attribute,
    null as segment_id,
    null as planned_share
from (select distinct wave, offer from deliveries)
order by wave, offer
"""
