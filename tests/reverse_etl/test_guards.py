from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.credentials import Secret
from reverse_etl.definitions import carried_definitions, changed_definitions
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.destinations.mixpanel import MembershipOptions
from reverse_etl.destinations.mixpanel_settings import MixpanelSettings
from reverse_etl.guards import Company, evaluate, held_back
from reverse_etl.past import Activation, Past
from reverse_etl.plan import SyncPlan
from reverse_etl.scope import Target
from reverse_etl.settings import Guards, Sync
from warehouse.builds import Build
from warehouse.connection import open_warehouse, read_published
from warehouse.definitions import Definition, Locked

from .world import NOW

if TYPE_CHECKING:
    from warehouse.home import Home

BUILD = Build("b", NOW, NOW, NOW, False, "prod", "", "build", None, True, True, 1, 0)  # noqa: FBT003 - the columns of the record
PLAN = SyncPlan(
    *("s", "mixpanel", "analyse", "mirror", 0, 0, 0, {}),
    wanted=1000,
    held=1000,
    build=BUILD,
    considered=1000,
)


def target(url: str = "https://api.mixpanel.com", project: str = "a") -> Target:
    settings = MixpanelSettings(project_token=Secret(project), base_url=url)
    return Target(DESTINATIONS["mixpanel"], settings, "audience_members")


def sync(**values: Any) -> Sync:  # noqa: ANN401 - what a test varies
    declared = Sync(
        name="s",
        destination="mixpanel",
        object="audience_members",
        model="m",
        use="analyse",
        mode="mirror",
        identity="customer_id",
        options=MembershipOptions(),
    )
    return replace(declared, **values)


def holds(guards: Guards, use: str, to: Target | None = None, **plan: object) -> dict[str, str]:
    """The operations that each guard holds back, in short."""
    found = evaluate(
        sync(guards=guards, use=use), replace(PLAN, use=use, **plan), to or target(), now=NOW
    )
    return {finding.guard: ",".join(sorted(finding.holds)) for finding in found}


SENDS, ALL = "add,append,update", "add,append,remove,update"


def test_nothing_amiss_holds_nothing() -> None:
    strict = Guards((1000, 1000), 0.0, 1.0)
    assert holds(strict, "analyse", adds=0) == {}


@pytest.mark.parametrize(
    ("use", "adds", "removes"),
    [("activate", SENDS, None), ("suppress", None, "remove"), ("analyse", ALL, ALL)],
)
def test_what_change_is_dangerous_depends_on_the_use(
    use: str, adds: str | None, removes: str | None
) -> None:
    guards = Guards(max_change_share=0.3)
    assert holds(guards, use, adds=301).get("change") == adds
    assert holds(guards, use, removes=301).get("change") == removes
    assert holds(guards, use, adds=300, removes=300) == {}


def test_the_first_run_and_small_changes_are_no_change() -> None:
    guards = Guards(max_change_share=0.1)
    assert holds(guards, "analyse", adds=1000, held=0) == {}
    assert holds(guards, "analyse", adds=100, held=20) == {}
    assert holds(guards, "analyse", adds=101, held=20) == {"change": ALL}


@pytest.mark.parametrize(
    ("use", "held"), [("activate", ALL), ("suppress", "remove"), ("analyse", ALL)]
)
@pytest.mark.parametrize("wanted", [999, 2001])
def test_a_size_outside_its_band(use: str, held: str, wanted: int) -> None:
    assert holds(Guards((1000, 2000)), use, wanted=wanted) == {"size": held}


@pytest.mark.parametrize("use", ["activate", "suppress", "analyse"])
def test_a_model_without_a_row_takes_nobody_away(use: str) -> None:
    empty: dict[str, Any] = {"wanted": 0, "considered": 0, "removes": 101}
    assert holds(Guards(), use, **empty) == {"size": "remove"}
    assert holds(Guards((0, 10)), use, **empty) == {}
    assert holds(Guards(), use, **empty | {"removes": 100}) == {}
    # whom the clock removes is in the model still
    assert holds(Guards(), use, **empty | {"considered": 1}) == {}


def test_the_size_of_an_append_is_what_it_sends() -> None:
    found = evaluate(
        sync(guards=Guards((0, 10)), mode="append"), replace(PLAN, adds=11), target(), now=NOW
    )
    assert [finding.guard for finding in found] == ["size"]


@pytest.mark.parametrize(
    ("use", "held"), [("activate", SENDS), ("suppress", "remove"), ("analyse", ALL)]
)
def test_stale_data(use: str, held: str) -> None:
    old = replace(BUILD, as_of=NOW - timedelta(hours=2, seconds=1))
    assert holds(Guards(max_age_hours=2), use, build=old) == {"staleness": held}
    fresh = replace(BUILD, as_of=NOW - timedelta(hours=2))
    assert holds(Guards(max_age_hours=2), use, build=fresh) == {}


def test_a_stale_feed_counts_where_its_watermark_is_known() -> None:
    marks = {"webhooks": NOW - timedelta(hours=3), "orders": None}
    assert holds(Guards(max_age_hours=2), "activate", watermarks=marks) == {"staleness": SENDS}


def test_a_given_as_of_may_be_old_on_loopback() -> None:
    old = replace(BUILD, as_of=NOW - timedelta(days=900), is_as_of_given=True)
    local = target("http://127.0.0.1:9")
    assert holds(Guards(max_age_hours=2), "analyse", local, build=old) == {}


@pytest.mark.parametrize("build", [{"target": "dev"}, {"is_as_of_given": True}])
@pytest.mark.parametrize(
    ("url", "is_held"),
    [
        ("https://api.mixpanel.com", True),
        ("http://127.0.0.1.evil.example", True),
        ("http://localhost:8801", False),
        ("http://[::1]:8801", False),
    ],
)
def test_only_prod_leaves_this_machine(build: dict[str, Any], url: str, *, is_held: bool) -> None:
    plan = replace(PLAN, build=replace(BUILD, **build))
    found = evaluate(sync(), plan, target(url), now=NOW, force=["target"])
    assert bool(found) is is_held
    if found:
        assert found[0].guard == "target"
        assert held_back(found[:1], "remove", is_exempt=True) is None or found[0].is_forced is False


def test_settings_that_moved_hold_everything() -> None:
    before = Past(target(project="a").fingerprint(sync()))
    plan = replace(PLAN, past=before)
    assert evaluate(sync(), plan, target(project="a"), now=NOW) == []
    for other, what in (
        ((sync(), target(project="b")), "account"),
        ((sync(), target("https://api-eu.mixpanel.com")), "base_url"),
        ((sync(identity="email"), target()), "identity"),
        ((sync(options=MembershipOptions(property="x")), target()), "options"),
    ):
        (finding,) = evaluate(other[0], plan, other[1], now=NOW)
        assert finding.guard == "settings"
        assert finding.message.startswith(f"{what} differ")
        assert held_back([finding], "remove", is_exempt=True) == "guard settings"


def test_a_forced_guard_holds_nothing_back() -> None:
    plan = replace(PLAN, wanted=5)
    declared = sync(guards=Guards((10, 20)))
    (finding,) = evaluate(declared, plan, target(), now=NOW, force=["size"])
    assert finding.is_forced
    assert held_back([finding], "add", is_exempt=False) is None
    (finding,) = evaluate(declared, plan, target(), now=NOW)
    assert held_back([finding], "add", is_exempt=False) == "guard size"
    assert held_back([finding], "remove", is_exempt=True) is None


@pytest.mark.parametrize(
    ("use", "held"), [("activate", ALL), ("suppress", "remove"), ("analyse", ALL)]
)
def test_too_few_rows_that_name_somebody(use: str, held: str) -> None:
    guards = Guards(min_identified_share=0.8)
    few = {"considered": 1000, "left_out": {"no identifier": 201}}
    assert holds(guards, use, **few) == {"identity": held}
    assert holds(guards, use, **few | {"left_out": {"no identifier": 200}}) == {}
    assert holds(guards, use, considered=0) == {}


def test_a_month_has_a_budget() -> None:
    to = replace(target(), monthly_rows=100)
    past = Past(None, sent_this_month=60)
    assert holds(Guards(), "analyse", to, past=past, adds=30, updates=10, removes=99) == {}
    assert holds(Guards(), "analyse", to, past=past, adds=30, updates=11) == {"budget": SENDS}
    # what is there already is not held against a run that sends nothing
    assert holds(Guards(), "analyse", to, past=replace(past, sent_this_month=101)) == {}
    assert holds(Guards(), "suppress", to, past=past, adds=41) == {}


def test_what_others_send_at_the_same_time_counts_towards_the_budget() -> None:
    to, plan = replace(target(), monthly_rows=100), replace(PLAN, adds=40)
    assert evaluate(sync(), plan, to, now=NOW, company=Company(under_way=60)) == []
    (finding,) = evaluate(sync(), plan, to, now=NOW, company=Company(under_way=61))
    assert finding.guard == "budget"
    assert "61 rows went to mixpanel this month, and 40 more are over" in finding.message


NEW = Activation(is_verified=False, begun=None, is_idle=False)


@pytest.mark.parametrize(
    ("activations", "held"),
    [
        ({}, True),
        ({"amplitude": replace(NEW, begun="20260101T0")}, True),
        ({"amplitude": replace(NEW, is_verified=True, begun="20260101T0")}, False),
        # it was the first to begin, so that it is the first
        ({"mixpanel": replace(NEW, begun="20260101T0")}, False),
        # the other one has nobody to send, and would be waited for in vain
        ({"amplitude": replace(NEW, is_idle=True)}, False),
    ],
)
def test_a_second_destination_follows_the_first(
    activations: dict[str, Activation], *, held: bool
) -> None:
    plan = replace(PLAN, use="activate", past=Past(None, activations=activations), adds=1)
    company = Company(activating=("amplitude", "mixpanel"))
    found = evaluate(sync(use="activate"), plan, target(), now=NOW, company=company)
    assert [(f.guard, ",".join(sorted(f.holds))) for f in found] == [("fan_out", SENDS)] * held
    for use in ("suppress", "analyse"):
        assert evaluate(sync(use=use), plan, target(), now=NOW, company=company) == []


LOCKED = {"a": Locked(2, "aaaa", "First."), "b": Locked(1, "bbbb", "First.")}


@pytest.mark.parametrize(
    ("built", "changed"),
    [
        ({"a": Definition(2, "aaaa"), "b": Definition(1, "bbbb")}, []),
        ({"a": Definition(2, "ffff")}, ["the logic of a changed, and its version is still 2"]),
        ({"a": Definition(3, "ffff")}, ["a says version 3, and audiences.lock.yml has version 2"]),
        ({"new": Definition(1, "cccc")}, ["new is not in audiences.lock.yml"]),
        # bumped since, and not built yet
        ({"a": Definition(1, "ffff")}, []),
    ],
)
def test_a_definition_is_changed_when_its_version_does_not_stand_for_what_was_built(
    built: dict[str, Definition], changed: list[str]
) -> None:
    assert list(changed_definitions(built, LOCKED)) == changed


@pytest.mark.parametrize(
    ("use", "held"), [("activate", ALL), ("suppress", "remove"), ("analyse", ALL)]
)
def test_a_changed_definition_stops_the_sync_that_carries_it(use: str, held: str) -> None:
    changed = ("the logic of a changed, and its version is still 2",)
    assert holds(Guards(), use, changed_definitions=changed).get("definition") == held
    (finding,) = evaluate(
        sync(use=use),
        replace(PLAN, use=use, changed_definitions=changed),
        target(),
        now=NOW,
        force=["definition"],
    )
    assert finding.is_forced
    assert "cio audiences bump" in finding.message
    assert held_back([finding], "remove", is_exempt=False) is None


@pytest.mark.parametrize(
    ("model", "audiences", "carried"),
    [("members", None, ["a", "b"]), ("members", ("b",), ["b"]), ("events", None, [])],
)
def test_a_sync_carries_the_audiences_it_names_or_all_where_its_rows_have_one(
    home: Home, model: str, audiences: tuple[str, ...] | None, carried: list[str]
) -> None:
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(
            """
            create schema raw_dbt; create schema outbound; create schema operations;
            create table raw_dbt.builds as
                select 'b1' as build_id, timestamp '2026-01-01' as started_at,
                    null::timestamp as finished_at, null::timestamp as as_of,
                    false as is_as_of_given, 'prod' as target, '' as schema_prefix,
                    null as command, null as selection, true as is_whole, true as is_passed,
                    1 as models, 0 as failures;
            create table outbound.members as select 'a' as audience;
            create table outbound.events as select 'e' as event_id;
            create table operations.audience_builds (
                audience text, build_id text, version bigint, checksum text
            );
            insert into operations.audience_builds values
                ('a', 'b1', 2, 'aaaa'), ('b', 'b1', 1, 'bbbb'), ('a', 'b0', 1, 'old'),
                ('unknown', 'b1', 1, null);
            """
        )
    chosen = {"audience": audiences} if audiences else {}
    with read_published(home) as published:
        found = carried_definitions(published, sync(model=model, filter=chosen))
    assert sorted(found) == carried
    assert found.get("a", Definition(2, "aaaa")) == Definition(2, "aaaa")
