"""What the engine does with people who are known by several hashes at once."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fakes import meta
from reverse_etl.contract import Change, Limits, Taken
from reverse_etl.deliver import Way, deliver
from reverse_etl.journal import RunFolder
from reverse_etl.packing import Packer
from reverse_etl.run import plan_syncs
from reverse_etl.settings import read_syncs
from reverse_etl.stop_list import StopList
from reverse_etl.stop_list import digest as stop_digest
from warehouse.errors import UsageError

from .conformance import Result, write_plan
from .stand_ins import configure
from .test_attempts import SYNC, Scripted
from .world import FastClock, World, member

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reverse_etl.plan import SyncPlan
    from reverse_etl.run import Room


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def keys(**plain: str) -> str:
    return json.dumps({key: digest(text) for key, text in plain.items()}, separators=(",", ":"))


def known(number: int, **plain: str) -> dict[str, Any]:
    """A member whom Meta knows by some keys."""
    return member(number, meta_match_keys=keys(**plain))


@pytest.fixture
def ads(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    configure(monkeypatch, "meta", meta.settings("http://127.0.0.1:1"))
    world.declare_members("ads", destination="meta", use="suppress", identity="meta_match_keys")
    return world


def counts(room: Callable[..., Room]) -> tuple[int, int, int]:
    plan: SyncPlan
    (plan,) = plan_syncs(room())
    return plan.adds, plan.updates, plan.removes


def hold(world: World, *rows: dict[str, Any]) -> None:
    world.receive("ads", "run-1", *({"row": row, "operation": "add"} for row in rows))


def test_who_shares_a_unique_key_with_somebody_removed_is_put_back(
    ads: World, room: Callable[..., Room]
) -> None:
    gone = known(1, EMAIL="family", PHONE="1")
    stays = known(2, EMAIL="family", PHONE="2")
    apart = known(3, EMAIL="other", PHONE="3")
    hold(ads, gone, stays, apart)
    ads.build(members=[stays, apart])
    assert counts(room) == (0, 1, 1)


def test_a_country_in_common_puts_nobody_back(ads: World, room: Callable[..., Room]) -> None:
    gone = known(1, EMAIL="a", COUNTRY="de")
    stays = known(2, EMAIL="b", COUNTRY="de")
    hold(ads, gone, stays)
    ads.build(members=[stays])
    assert counts(room) == (0, 0, 1)


def test_a_key_that_changed_is_a_removal_and_an_addition(
    ads: World, room: Callable[..., Room]
) -> None:
    hold(ads, known(1, EMAIL="old"))
    ads.build(members=[known(1, EMAIL="new")])
    assert counts(room) == (1, 0, 1)


@pytest.mark.parametrize(("age_days", "updates"), [(509, 0), (511, 1)])
def test_what_the_vendor_forgets_is_sent_again_before_it_does(
    world: World, room: Callable[..., Room], age_days: int, updates: int
) -> None:
    row = member(1, google_match_keys=keys(emailAddress="a"))
    world.declare_members(
        "ads",
        destination="google",
        use="suppress",
        identity="google_match_keys",
        settings={"consent": "granted"},
    )
    world.receive("ads", "run-1", {"row": row, "operation": "add"})
    world.query(
        "update raw_reverse_etl.receipts set finished_at = now()::timestamp "
        f"- interval {age_days} day"
    )
    world.build(members=[row])
    assert counts(room) == (0, updates, 0)


@pytest.mark.parametrize("identity", ["email", "customer_id", "google_match_keys"])
def test_an_ad_platform_is_sent_its_own_hashes_and_nothing_else(ads: World, identity: str) -> None:
    ads.declare_members("ads", destination="meta", identity=identity)
    with pytest.raises(UsageError, match="allowed: meta_match_keys"):
        read_syncs(ads.manifest)


def test_options_may_map_labels_to_ids(ads: World) -> None:
    given: dict[str, Any] = {"audience_ids": {"B": 2, "A": "1"}}
    ads.declare_members("ads", destination="meta", identity="meta_match_keys", settings=given)
    (sync,) = read_syncs(ads.manifest)
    assert dict(sync.options.audience_ids) == {"A": "1", "B": "2"}
    for wrong in ("x", {"A": True}, {"A": ["1"]}):
        settings: dict[str, Any] = {"audience_ids": wrong}
        ads.declare_members(
            "ads", destination="meta", identity="meta_match_keys", settings=settings
        )
        with pytest.raises(UsageError, match="mapping of names to texts"):
            read_syncs(ads.manifest)


def change(row: int = 0, **values: Any) -> Change:  # noqa: ANN401 - fields of a change
    good = Change(row, "add", f"k{row}", "p", keys(EMAIL="a"), "L", None, "{}", "f")
    return good._replace(**values)


@pytest.mark.parametrize(
    ("payload", "is_stopped"),
    [
        (json.dumps({"known_as": {"email": stop_digest("A@example.com")}}), True),
        (json.dumps({"known_as": {"email": stop_digest("b@example.com")}}), False),
        ('{"known_as":7}', False),
        ('{"known_as"', False),
        ('["known_as"]', False),
        (None, False),
    ],
)
def test_the_stop_list_knows_a_hashed_person_by_the_payload(
    tmp_path: Path, payload: str | None, *, is_stopped: bool
) -> None:
    path = tmp_path / "stop_list.ndjson"
    entry = {"kind": "erasure", "identifier": stop_digest("a@example.com")}
    path.write_text(json.dumps(entry) + "\n")
    stop_list = StopList(path, "suppress")
    stop_list.refresh()
    assert (stop_list.reason(change(payload=payload)) is not None) is is_stopped
    assert stop_list.reason(change(payload=payload, operation="remove")) is None


def test_removals_go_in_smaller_requests_than_additions() -> None:
    packer = Packer(Limits(10, 10_000, 100, removals=3))
    removals = [packer.add("out", change(n, operation="remove"), b"x") for n in range(7)]
    additions = [packer.add("in", change(n), b"x") for n in range(7)]
    assert [len(batch.rows) for batch in removals if batch] == [3, 3]
    assert [batch for batch in additions if batch] == []


def test_rows_the_vendor_is_unsure_of_are_unknown_and_not_sent_again_in_this_run(
    tmp_path: Path,
) -> None:
    time = FastClock()
    channel = Scripted([Taken(unsure={1: "counted 1 of 2 rows"})], time)
    folder = RunFolder(tmp_path)
    write_plan(folder.plan, [change(0), change(1)])
    way = Way(
        sync=SYNC,
        channel=channel,
        is_repeatable=True,
        stop_list=StopList(tmp_path / "none", "analyse"),
        findings=(),
        clock=time.clock(),
        halt=threading.Event(),
    )
    delivered = deliver(folder, way)
    with_outcomes = Result.read(folder, delivered, channel)
    assert with_outcomes.outcomes == ["accepted", "unknown"]
    assert with_outcomes.reasons[1] == "counted 1 of 2 rows"
