"""`cio doctor`: each of the ten is planted in a sound world, and found with its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import duckdb
import pytest

from cio.audiences import Audience
from cio.doctor import CHECKS, Diagnosis, examine

if TYPE_CHECKING:
    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync
    from warehouse.connection import Published

META = {
    "label": "CIO | Cart Abandoners | 0-24h",
    "use": "activate",
    "owner": "retention",
    "monitor": "data",
    "next_action_owner": "retention",
    "window": "24 hours",
    "latency": "2 hours",
    "consent": "email",
    "activation_mode": "export",
}
SOUND = """
create table {audience_sizes} as select 'cart' as audience, 1234 as people;
create table {identity_health} as select 'ghost_profiles' as check_name, 'people' as subject,
    3 as affected, 1000 as total, 0.003 as share, 0.01 as threshold, 'ok' as status;
create table {message_events} as select (n % 200)::varchar as delivery_id, 'opened' as metric
from generate_series(1, 250) as numbers(n);
create table {orders} as select (n % 60)::varchar as person_id,
    timestamp '2026-01-01' + to_days((n // 60 * 30)::integer) as ordered_at
from generate_series(0, 179) as numbers(n);
create table {sync_latency} as select 'list' as sync, date '2026-01-31' as accepted_on,
    3600::double as event_to_accepted_p95_seconds, 1800::double as built_to_accepted_p95_seconds;
create table {outbound_events} as select unnest(['clicked', 'clicked', 'sent']) as metric;
"""


@dataclass
class World:
    """A sound set-up, in which a test plants what is wrong."""

    meta: dict[str, Any] = field(default_factory=lambda: dict(META))
    sql: str = "select person_id from person_purchases"
    name: str = "cart"
    parents: frozenset[str] = frozenset(["person_purchases", "person_consent"])
    target: str = "prod"
    url: str = "https://api.example.com"
    change: str = ""
    sync: dict[str, Any] = field(default_factory=dict)
    events: dict[str, Any] = field(default_factory=dict)

    def examine(self) -> list[Diagnosis]:
        audience = Audience(self.name, "cart.yml", self.meta, self.sql, parents=self.parents)
        base = {"model": "outbound_events", "owner": "Retention", "path": "syncs/x.yml"}
        members = base | {"name": "list", "mode": "mirror", "use": "activate"}
        members |= {"filter": {"audience": (self.name,)}, "destination": "meta"} | self.sync
        events = base | {"name": "events", "mode": "append", "use": "analyse", "filter": {}}
        events |= {"destination": "mixpanel"} | self.events
        where = SimpleNamespace(
            inactive=None,
            is_loopback="127.0.0.1" in self.url,
            settings=SimpleNamespace(base_url=self.url),
        )
        syncs = [
            (cast("Sync", SimpleNamespace(**one)), cast("Target", where))
            for one in (members, events)
        ]
        with duckdb.connect() as connection:
            tables = (*("audience_sizes", "identity_health", "message_events", "orders"),)
            tables = (*tables, "sync_latency", "outbound_events")
            connection.execute(SOUND.format(**{name: name for name in tables}) + self.change)
            published = SimpleNamespace(
                connection=connection,
                build=SimpleNamespace(target=self.target),
                table=lambda _layer, name: name,
            )
            return examine([audience], syncs, cast("Published", published))


def found(world: World) -> dict[str, str]:
    return {one.check: one.detail for one in world.examine()}


def test_a_sound_set_up_has_nothing_to_mend() -> None:
    assert found(World()) == {}


def test_ten_are_looked_for() -> None:
    assert len(CHECKS) == 10


@pytest.mark.parametrize(
    ("check", "world", "said"),
    [
        (
            "identity_mismatch",
            World(change="update identity_health set status = 'over', affected = 50, share = 0.05"),
            "50 of 1,000 (5.0%), where 1.0% are allowed",
        ),
        (
            "full_resolution_off",
            World(change="delete from message_events where rowid >= 200"),
            "200 messages were opened and none of them twice",
        ),
        (
            "opens_only_audience",
            World(sql="select person_id from person_purchases where last_opened_at is not null"),
            "1,234 people",
        ),
        (
            "no_purchase_exclusion",
            World(parents=frozenset(["person_consent"])),
            "1,234 people",
        ),
        (
            "names_as_logic",
            World(sql="select person_id from person_purchases where campaign_name = 'Cart'"),
            "campaign_name",
        ),
        ("no_owner", World(meta=META | {"monitor": "tbd"}), "nobody as monitor"),
        (
            "over_exporting",
            World(change="insert into outbound_events select unnest(['sent', 'opened'])"),
            "3 of 5 events (60%)",
        ),
        (
            "window_against_buying_cycle",
            World(name="second_order_overdue", meta=META | {"window": "10 - 20 days"}),
            "begins after 10 days; half of 120 repeat orders came within 30 days",
        ),
        (
            "latency_against_use",
            World(change="update sync_latency set event_to_accepted_p95_seconds = 108000"),
            "a window of 24 h, and 95 of 100 changes are there after 30.0 h",
        ),
        ("staging_credentials", World(url="http://127.0.0.1:8801"), "a stand-in on this machine"),
        ("staging_credentials", World(target="dev"), "the build is for dev"),
        (
            "staging_credentials",
            World(url="https://staging.example.com"),
            "says https://staging.example.com",
        ),
    ],
)
def test_what_is_planted_is_found_and_nothing_else(check: str, world: World, said: str) -> None:
    diagnoses = found(world)
    assert set(diagnoses) == {check}
    assert said in diagnoses[check]


def test_a_clock_at_the_edge_of_the_cycle_is_sound() -> None:
    edge = World(name="second_order_overdue", meta=META | {"window": "15 - 60 days"})
    assert found(edge) == {}


def test_a_build_of_an_older_version_is_examined_as_far_as_it_goes() -> None:
    world = World(change="drop table sync_latency; drop table identity_health")
    assert found(world) == {}


def test_events_that_are_filtered_are_not_over_exported() -> None:
    planted = "insert into outbound_events select unnest(['sent', 'opened'])"
    world = World(change=planted, events={"filter": {"metric": ("clicked",)}})
    assert found(world) == {}
