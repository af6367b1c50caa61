"""Any sequence of changes, failures and kills: at rest the destinations are what the model says.

Three syncs of one world, each into a list of its own on the stand-in of Mixpanel: one activates,
one suppresses, one analyses. A fourth replaces lists at Google whole, whatever others put there.
What may happen in between is a rule; what must hold is checked after every run, and all of it once
the world has come to rest. More examples: `CIO_MODEL_EXAMPLES=200`.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fakes import google_data_manager, mixpanel
from fakes.google_data_manager import Manners
from fakes.server import serve_in_thread
from reverse_etl import state
from reverse_etl.journal import Journal, RunFolder, run_folders
from reverse_etl.lock import SyncRunning, hold
from reverse_etl.plan import Asked
from reverse_etl.run import Room, plan_syncs, run_syncs
from warehouse.stop_list import append, stop_list_path

from .conftest import Fake
from .stand_ins import GoogleLists, configure, sha256
from .world import NOW, FastClock, World, md5

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reverse_etl.sync_run import SyncRun

EXAMPLES = int(os.environ.get("CIO_MODEL_EXAMPLES", "2"))
STEPS = 14
PEOPLE = range(6)
UNSUBSCRIBED = "CIO | unsubscribed"
LISTS = {"activate": "cio_activate", "suppress": "cio_suppress", "analyse": "cio_analyse"}
REPLACED = "replaced"
SYNCS = [*LISTS, REPLACED]
WEEK = 7 * 86_400
Entries = set[tuple[str, str]]
# a person of ours under a label that is not ours, and a stranger under one that is
BY_HAND: Entries = {("customer-0-0", "put there by hand"), ("somebody-else", "CIO | buyers")}


class Killed(BaseException):
    """The process ends here: nothing after this is written, sent or landed."""


FAILURES: list[dict[str, Any]] = [
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "status", "status": 503, "when": "after"},
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after", "times": 2},
    {"kind": "malformed", "when": "after", "times": 2},
    {"kind": "status", "status": 413},
    {"kind": "status", "status": 200, "body": '{"status":0,"error":"one of them is bad"}'},
]
DEATHS = [
    (RunFolder, "write_record"),
    (Journal, "intend"),
    (Journal, "settle"),
]


@dataclass
class Person:
    number: int
    customer_id: str
    audiences: set[str] = field(default_factory=set)
    is_opted_out: bool = False
    is_held_out: bool = False
    is_gone: bool = False
    ids: set[str] = field(default_factory=set)

    @property
    def person_id(self) -> str:
        return f"person-{self.number}"


class Syncs(RuleBasedStateMachine):
    """A company whose people change while its syncs run, and fail, and are killed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.chdir(folder)
        self.patch.setenv("DLT_PROJECT_DIR", str(folder))
        # what receipts came to is kept from the first on, and newer ones laid over it
        self.patch.setattr(state, "LEAST_ROWS", 0)
        self.server = serve_in_thread(mixpanel.create_app())
        self.fake = Fake(self.server.__enter__())
        self.patch.setenv("REVERSE_ETL__MIXPANEL__BASE_URL", self.fake.url)
        # what others put there was put there an hour ago, or Google would keep it a minute longer
        self.is_by_hand = False
        now = Manners(now=lambda: time.time() - 3_600 * self.is_by_hand)
        self.google = serve_in_thread(google_data_manager.create_app(manners=now))
        self.lists = Fake(self.google.__enter__())
        configure(self.patch, "google", google_data_manager.settings(self.lists.url))
        self.world = World.make(folder)
        self.people = {n: Person(n, f"customer-{n}-0") for n in PEOPLE}
        self.ids = 0
        self.erased: set[str] = set()
        self.time = FastClock()
        self.room = Room(self.world.home, self.world.manifest, clock=self.time.clock())

    def teardown(self) -> None:
        try:
            self.come_to_rest()
        finally:
            for fake, server in ((self.fake, self.server), (self.lists, self.google)):
                fake.release()
                fake.close()
                server.__exit__(None, None, None)
            self.patch.undo()

    @initialize()
    def a_company_with_four_syncs(self) -> None:
        small = {"attempts": 2, "records_per_request": 2, "connections": 1}
        for use, name in LISTS.items():
            self.world.declare_members(
                use, use=use, model=f"outbound_{use}", settings={"property": name} | small
            )
        updates = [
            {
                "$token": mixpanel.TOKEN,
                "$distinct_id": person,
                "$union": {name: [label] for name in LISTS.values()},
            }
            for person, label in sorted(BY_HAND)
        ]
        httpx.post(f"{self.fake.url}/engage?verbose=1", json=updates).raise_for_status()
        self.world.declare_members(
            REPLACED,
            use="suppress",
            destination="google",
            mode="replace",
            identity="google_match_keys",
            model=f"outbound_{REPLACED}",
            settings={"consent": "granted"} | small,
        )
        self.hands = GoogleLists(self.lists.url)
        self.somebody_else_fills_a_list("buyers")
        for number in (0, 1, 2):
            self.people[number].audiences = {"buyers", "clickers"}
        self.build()

    # what happens to people

    @rule(number=st.sampled_from(PEOPLE), audience=st.sampled_from(["buyers", "clickers"]))
    def somebody_enters_or_leaves(self, number: int, audience: str) -> None:
        self.people[number].audiences ^= {audience}

    @rule(number=st.sampled_from(PEOPLE))
    def somebody_opts_out(self, number: int) -> None:
        person = self.people[number]
        person.is_opted_out = True
        self.stop("opt_out", person)

    @rule(number=st.sampled_from(PEOPLE))
    def somebody_is_held_out(self, number: int) -> None:
        self.people[number].is_held_out = True

    @rule(number=st.sampled_from(PEOPLE))
    def somebody_gets_another_id(self, number: int) -> None:
        self.ids += 1
        person = self.people[number]
        if not person.is_gone:
            person.customer_id = f"customer-{number}-{self.ids}"

    @rule(number=st.sampled_from(PEOPLE), other=st.sampled_from(PEOPLE))
    def two_turn_out_to_be_one(self, number: int, other: int) -> None:
        kept, lost = self.people[number], self.people[other]
        if number == other or kept.is_gone or lost.is_gone:
            return
        kept.audiences |= lost.audiences
        kept.is_opted_out |= lost.is_opted_out
        kept.is_held_out |= lost.is_held_out
        kept.customer_id = lost.customer_id
        lost.is_gone = True
        if kept.is_opted_out:
            self.stop("opt_out", kept)

    @rule(number=st.sampled_from(PEOPLE))
    def somebody_is_erased(self, number: int) -> None:
        person = self.people[number]
        if not person.is_gone:
            person.is_gone = True
            self.erased.add(person.customer_id)
            self.stop("erasure", person)

    @rule(audience=st.sampled_from(["buyers", "clickers"]))
    def somebody_else_fills_a_list(self, audience: str) -> None:
        self.is_by_hand = True
        self.hands.add(f"CIO | {audience}", sha256("a stranger"))
        self.is_by_hand = False

    @rule()
    def a_week_passes(self) -> None:
        self.time.elapsed += WEEK + 1

    # what the machinery goes through

    @rule()
    def build(self) -> None:
        rows = {use: self.rows(use) for use in SYNCS}
        flagged = {
            "person_consent": ("is_opted_out", ""),
            "experiment_people": ("is_held_out", ", 'activate' as covers"),
        }
        tables = {}
        for table, (flag, more) in flagged.items():
            values = ", ".join(
                f"('{p.person_id}', {getattr(p, flag)})" for p in self.people.values()
            )
            tables[f"marts.{table}"] = (
                f"select * {more} from (values {values}) as people (person_id, {flag})"
            )
        for person in self.people.values():
            person.ids.add(person.customer_id)
        ids = Counter(each for person in self.people.values() for each in person.ids)
        values = ", ".join(
            f"('{p.person_id}', '{each}', {ids[each] > 1})"
            for p in self.people.values()
            for each in sorted(p.ids)
        )
        tables["marts.person_identifiers"] = (
            f"select * from (values {values}) as known (person_id, identifier, is_shared)"
        )
        self.world.build(tables=tables, **rows)

    @rule()
    def syncs_run(self) -> None:
        with self.nobody_stopped_is_added():
            run_syncs(self.room)

    @rule(use=st.sampled_from(SYNCS), failure=st.sampled_from(FAILURES), nth=st.integers(0, 3))
    def a_request_fails(self, use: str, failure: dict[str, Any], nth: int) -> None:
        if use == REPLACED:
            self.lists.fail(failure | {"path": "/v1/audienceMembers", "skip": nth})
        else:
            self.fake.fail(failure | {"path": "/engage", "skip": nth})
        self.run(use)

    @rule(
        use=st.sampled_from(SYNCS),
        death=st.sampled_from(DEATHS),
        nth=st.integers(1, 3),
        is_after=st.booleans(),
    )
    def a_run_is_killed(
        self, use: str, death: tuple[type[Any], str], nth: int, *, is_after: bool
    ) -> None:
        owner, name = death
        before, left = getattr(owner, name), [nth]

        def die(*arguments: object, **options: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Killed  # whatever else the process had under way
            if left[0] == 0 and not is_after:
                raise Killed
            result = before(*arguments, **options)
            if left[0] == 0:
                raise Killed
            return result

        with mock.patch.object(owner, name, die), suppress(Killed):
            self.run(use)

    @rule(use=st.sampled_from(SYNCS))
    def a_run_meets_another(self, use: str) -> None:
        before = len(self.fake.requests), len(self.lists.requests)
        with hold(self.world.home, use, now=NOW):
            (run,) = self.run(use)
        assert isinstance(run.error, SyncRunning)
        assert (len(self.fake.requests), len(self.lists.requests)) == before

    @rule(use=st.sampled_from(SYNCS))
    def two_runs_overlap(self, use: str) -> None:
        with self.nobody_stopped_is_added(), ThreadPoolExecutor(2) as pool:
            both = [pool.submit(self.run_unwatched, use) for _ in range(2)]
            (one,), (other,) = (future.result() for future in both)
        # one after the other, or one alone
        assert all(run.error is None or isinstance(run.error, SyncRunning) for run in (one, other))
        assert one.error is None or other.error is None

    # what must hold

    @invariant()
    def nothing_that_others_put_there_is_lost(self) -> None:
        if self.world.syncs:
            for use in LISTS:
                assert self.there(use) >= BY_HAND

    @precondition(lambda self: self.world.builds)
    @rule()
    def come_to_rest(self) -> None:
        """Build what is true now, run until nothing is left, and compare."""
        if not self.world.builds:
            return
        self.fake.fail()
        self.lists.fail()
        self.build()
        self.a_week_passes()
        states = [run.state for run in run_syncs(self.room, Asked(is_retry=True))]
        assert states == ["done"] * len(SYNCS)
        assert [plan.changes for plan in plan_syncs(self.room)] == [0] * len(SYNCS)
        there = {use: self.there(use) - BY_HAND for use in LISTS}
        # a list that nobody is to be in is not replaced
        filled = {label for _, label in self.wanted(REPLACED)}
        there[REPLACED] = {entry for entry in self.there(REPLACED) if entry[1] in filled}
        for use in SYNCS:
            assert there[use] == self.wanted(use), use
            assert not {person for person, _ in there[use]} & self.erased
        alive = [person for person in self.people.values() if not person.is_gone]
        opted_out = {person.customer_id for person in alive if person.is_opted_out}
        held_out = {person.customer_id for person in alive if person.is_held_out}
        assert not {person for person, _ in there["activate"]} & (opted_out | held_out)
        suppressed = {person for person, label in there["suppress"] if label == UNSUBSCRIBED}
        assert suppressed == opted_out
        self.every_run_is_landed_and_balances()

    def every_run_is_landed_and_balances(self) -> None:
        begun = {folder.path.name for folder in run_folders(self.world.home)}
        landed = self.world.query("select run_id from raw_reverse_etl.runs")
        assert sorted(landed) == sorted((run,) for run in begun)
        unbalanced = self.world.query(
            "select run_id from raw_reverse_etl.runs where not is_balanced "
            "or planned <> accepted + rejected + skipped + unknown"
        )
        assert unbalanced == []

    # how it is told

    def run(self, use: str) -> list[SyncRun]:
        with self.nobody_stopped_is_added():
            return self.run_unwatched(use)

    def run_unwatched(self, use: str) -> list[SyncRun]:
        return run_syncs(Room(**vars(self.room) | {"select": [use]}))

    @contextmanager
    def nobody_stopped_is_added(self) -> Iterator[None]:
        """Whom the stop list has is not added while the block runs, whatever the build says."""
        stopped = {p.customer_id for p in self.people.values() if p.is_opted_out and not p.is_gone}
        before = self.there("activate")
        try:
            yield
        finally:
            news = {person for person, _ in self.there("activate") - before}
            assert not news & (stopped | self.erased)

    def stop(self, kind: Any, person: Person) -> None:  # noqa: ANN401 - one of two words
        # an opt-out comes under one name, and an erasure under all
        names = [person.customer_id] if kind == "opt_out" else [person.person_id, *person.ids]
        append(stop_list_path(self.world.home), kind, names, by="receive")

    def rows(self, use: str) -> Iterator[dict[str, Any]]:
        for person in self.people.values():
            if person.is_gone:
                continue
            audiences = set(person.audiences)
            if use in {"suppress", REPLACED} and person.is_opted_out:
                audiences.add(UNSUBSCRIBED.removeprefix("CIO | "))
            for audience in sorted(audiences):
                yield {
                    "record_key": md5(f"{person.person_id}|{audience}"),
                    "person_id": person.person_id,
                    "customer_id": person.customer_id,
                    "google_match_keys": json.dumps({"emailAddress": sha256(person.customer_id)}),
                    "label": f"CIO | {audience}",
                    "payload": "{}",
                    "fingerprint": md5(audience),
                }

    def wanted(self, use: str) -> Entries:
        closed = {
            p.person_id
            for p in self.people.values()
            if use == "activate" and (p.is_opted_out or p.is_held_out)
        }
        return {
            (row["customer_id"], row["label"])
            for row in self.rows(use)
            if row["person_id"] not in closed
        }

    def there(self, use: str) -> Entries:
        if use == REPLACED:
            return self.listed()
        profiles = self.fake.get("profiles")
        assert isinstance(profiles, dict)
        return {
            (person, label)
            for person, profile in profiles.items()
            for label in profile.get(LISTS[use], [])
        }

    def listed(self) -> Entries:
        """Whom the lists at Google have; a stranger under what they are known by there."""
        known = {sha256(each): each for person in self.people.values() for each in person.ids}
        lists = self.lists.get("audiences")
        assert isinstance(lists, dict)
        return {
            (known.get(row["emailAddress"], row["emailAddress"]), label)
            for label, rows in lists.items()
            for row in rows
        }


@pytest.mark.slow
def test_at_rest_the_destinations_are_what_the_model_says(tmp_path: Path) -> None:
    made = iter(range(1_000_000))

    def machine() -> Syncs:
        folder = tmp_path / str(next(made))
        folder.mkdir()
        return Syncs(folder)

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # without its database, and without shrinking, which would take longer than the search
            database=None,
            phases=[Phase.generate],
            derandomize=True,
        ),
    )
