"""Lists that are replaced whole: what else was in them goes, and nothing counts before the end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import google_data_manager, meta
from fakes.google_data_manager import Manners
from fakes.server import serve_in_thread
from reverse_etl.contract import Later, Stop, Taken
from reverse_etl.destinations.google import _closed
from reverse_etl.destinations.meta_errors import UNDER_WAY, Usage, read_refusal
from reverse_etl.estimate import notes
from reverse_etl.http import Answer
from reverse_etl.replacement import UNCLOSED
from reverse_etl.run import plan_syncs, run_syncs
from reverse_etl.settings import read_syncs
from reverse_etl.stop_list import digest as stop_digest
from warehouse.errors import UsageError

from .conformance import SUBJECTS, Bench, bench
from .stand_ins import GoogleLists, configure, sha256
from .world import FastClock, World, member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverse_etl.plan import Asked
    from reverse_etl.run import Room
    from reverse_etl.sync_run import SyncRun

LABEL = "CIO | clickers | 0-7d"
PATIENT = {"records_per_request": 4, "first_wait_seconds": 0.0, "jitter_seconds": 0.0}
STRANGER = sha256("a stranger")


def known(number: int, **values: object) -> dict[str, Any]:
    """A member whom both platforms know by one key."""
    digest = sha256(str(number))
    keys = {
        "meta_match_keys": json.dumps({"EMAIL": digest}),
        "google_match_keys": json.dumps({"emailAddress": digest}),
    }
    return member(number, **keys | values)


def digests(*numbers: int) -> set[str]:
    return {sha256(str(number)) for number in numbers}


@dataclass
class Platform:
    """A stand-in with a list that somebody put a stranger in, and a sync that replaces it."""

    world: World
    url: str
    now: list[float]
    time: FastClock = field(default_factory=FastClock)

    def run(self, asked: Asked | None = None) -> SyncRun:
        from reverse_etl.run import Room

        room = Room(self.world.home, self.world.manifest, clock=self.time.clock())
        (run,) = run_syncs(room, asked)
        if run.plan is not None and run.run_id is not None:
            assert run.accepted + run.rejected + run.skipped + run.unknown == run.plan.changes
        return run

    def pass_time(self, **duration: float) -> None:
        """Let it pass here and there."""
        self.time.elapsed += timedelta(**duration).total_seconds()
        self.now[0] += timedelta(**duration).total_seconds()

    def post(self, path: str, body: Any, **more: Any) -> Any:  # noqa: ANN401 - any JSON
        return httpx.post(f"{self.url}{path}", json=body, trust_env=False, **more).json()

    @property
    def members(self) -> set[str]:
        lists = httpx.get(f"{self.url}/_fake/audiences", trust_env=False).json()
        return {digest for row in lists[LABEL] for digest in row.values()}

    @property
    def edges(self) -> list[str]:
        """The requests that change lists, by the last part of their paths."""
        seen = httpx.get(f"{self.url}/_fake/requests", trust_env=False).json()
        edges = [one["path"].rpartition("/")[2].rpartition(":")[2] for one in seen]
        return [one for one in edges if one in EDGES]


EDGES = ("users", "usersreplace", "ingest", "remove", "removeAll")


@contextmanager
def meta_platform(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    now = [1_000_000_000.0]
    with serve_in_thread(meta.create_app(now=lambda: now[0])) as url:
        configure(monkeypatch, "meta", meta.settings(url))
        at = Platform(world, url, now)
        token = {"headers": {"Authorization": f"Bearer {meta.TOKEN}"}}
        body = {"name": LABEL, "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
        made = at.post(f"/v25.0/act_{meta.AD_ACCOUNT}/customaudiences", body, **token)
        rows = {"payload": {"schema": ["EMAIL"], "data": [[STRANGER]]}}
        at.post(f"/v25.0/{made['id']}/users", rows, **token)
        declare(world, "meta")
        yield at


@contextmanager
def google_platform(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    # Google tells its time with each reply; what is there was added an hour before
    now = [time.time() - 3_600]
    app = google_data_manager.create_app(manners=Manners(now=lambda: now[0]))
    with serve_in_thread(app) as url:
        configure(monkeypatch, "google", google_data_manager.settings(url))
        at = Platform(world, url, now)
        GoogleLists(url).add(LABEL, STRANGER)
        assert at.members == {STRANGER}
        declare(world, "google", consent="granted", connections=1)
        yield at


def declare(world: World, destination: str, **settings: object) -> None:
    world.declare_members(
        "ads",
        destination=destination,
        use="suppress",
        mode="replace",
        identity=f"{destination}_match_keys",
        settings=PATIENT | settings,
    )


@pytest.fixture
def at(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with meta_platform(world, monkeypatch) as platform:
        yield platform


def test_whoever_else_was_in_a_list_is_gone_and_within_a_week_changes_alone_are_sent(
    at: Platform,
) -> None:
    at.world.build(members=[known(n) for n in range(10)])
    assert at.members == {STRANGER}
    first = at.run()
    assert (first.state, first.accepted, first.plan.replaced) == ("done", 10, (LABEL,))
    assert at.members == digests(*range(10))
    assert at.edges[1:] == ["usersreplace"] * 4  # three batches, and the one that closes

    at.pass_time(days=6, hours=23)
    at.world.build(members=[known(n) for n in range(1, 11)])
    second = at.run()
    assert (second.plan.adds, second.plan.removes, second.plan.replaced) == (1, 1, ())
    assert at.edges[5:] == ["users", "users"]
    assert at.members == digests(*range(1, 11))

    at.pass_time(hours=2)
    third = at.run()
    assert (third.plan.updates, third.plan.replaced, third.accepted) == (10, (LABEL,), 10)
    assert at.members == digests(*range(1, 11))


def test_a_list_is_not_replaced_while_a_guard_holds_something_back(at: Platform) -> None:
    guards = {"expected_rows": [20, 30]}
    at.world.syncs["ads"]["guards"] = guards
    at.world.declare("ads", **at.world.syncs["ads"])
    at.world.build(members=[known(n) for n in range(10)])
    held = at.run()
    # who is to be suppressed goes all the same, and nobody is taken away
    assert (held.state, held.accepted) == ("held", 10)
    assert at.members == digests(*range(10)) | {STRANGER}
    assert "usersreplace" not in at.edges


def test_a_plan_names_the_lists_that_are_replaced_and_a_canary_takes_nobodys_place(
    at: Platform, room: Callable[..., Room]
) -> None:
    at.world.build(members=[known(n) for n in range(10)])
    (plan,) = plan_syncs(room())
    assert plan.to_json()["replaced"] == [LABEL]
    assert notes(plan) == [f"replaces whole, with whatever else is in them: {LABEL}"]
    at.world.declare("ads", **at.world.syncs["ads"], canary=["person-3"])
    (plan,) = plan_syncs(room())
    assert (plan.adds, plan.replaced) == (1, ())


def test_an_empty_model_replaces_nothing(at: Platform, room: Callable[..., Room]) -> None:
    at.world.receive("ads", "run-1", *({"row": known(n), "operation": "add"} for n in range(3)))
    at.world.build(members=[])
    (plan,) = plan_syncs(room())
    assert (plan.removes, plan.replaced) == (3, ())


@pytest.mark.parametrize(
    ("own", "theirs", "is_refused"),
    [
        ({"audiences": ["buyers"]}, {"audiences": ["clickers"]}, False),
        ({"audiences": ["buyers"]}, {"audiences": ["buyers", "clickers"]}, True),
        ({"audiences": ["buyers"]}, {"filter": {"audience": ["buyers"]}}, True),
        ({}, {"audiences": ["clickers"]}, True),
        ({"audiences": ["buyers"]}, {}, True),
        ({}, {"destination": "tiktok", "identity": "tiktok_match_keys"}, False),
    ],
)
def test_two_syncs_that_keep_one_list_are_refused_when_one_replaces_it(
    world: World, own: dict[str, Any], theirs: dict[str, Any], *, is_refused: bool
) -> None:
    to_meta = {"destination": "meta", "identity": "meta_match_keys"}
    world.declare_members("replaces", **to_meta | {"mode": "replace"} | own)
    world.declare_members("mirrors", **to_meta | theirs)
    if is_refused:
        with pytest.raises(UsageError, match="mirrors keeps lists of the same audiences at meta"):
            read_syncs(world.manifest, select=["replaces"])
    else:
        assert read_syncs(world.manifest, select=["replaces"])[0].mode == "replace"


def test_who_opted_out_or_is_held_out_is_in_no_plan_of_a_list_that_is_replaced(
    at: Platform, room: Callable[..., Room]
) -> None:
    at.world.declare("ads", **at.world.syncs["ads"] | {"use": "activate"})
    excluded = {
        "marts.person_consent": "select 'person-4' as person_id, true as is_opted_out",
        "marts.experiment_people": "select 'person-5' as person_id, true as is_held_out,"
        " 'all' as covers",
    }
    at.world.build(members=[known(n) for n in range(10)], tables=excluded)
    (plan,) = plan_syncs(room())
    assert (plan.adds, plan.replaced) == (8, (LABEL,))
    assert sum(plan.left_out.values()) == 2


def kill_after_reply(world: World, nth: int) -> None:
    """Run in a process that dies when the nth reply is there, and nothing of it is written down."""
    command = [sys.executable, "-m", "tests.reverse_etl.killed_run", "between reply and outcome"]
    home = [str(nth), str(world.home.root), str(world.manifest)]
    killed = subprocess.run([*command, *home], cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_a_replacement_that_was_killed_is_made_good(at: Platform) -> None:
    at.world.build(members=[known(n) for n in range(10)])
    kill_after_reply(at.world, 2)
    assert at.edges[1:] == ["usersreplace"] * 2
    # the session is open still, and nothing else is taken until it is given up
    waiting = at.run()
    assert (waiting.state, waiting.accepted) == ("failed", 0)
    assert "a replacement of this audience is under way" in str(waiting.error)
    at.pass_time(minutes=91)
    again = at.run()
    assert (again.state, again.accepted, again.plan.replaced) == ("done", 10, (LABEL,))
    assert at.members == digests(*range(10))
    runs = at.world.query(
        "select accepted, unknown, skipped, is_balanced from raw_reverse_etl.runs order by run_id"
    )
    assert runs == [(0, 8, 2, True), (0, 0, 10, True), (10, 0, 0, True)]


def test_google_removes_whom_it_was_not_sent_though_our_clock_is_ahead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google_platform(world, monkeypatch) as at:
        world.build(members=[known(n) for n in range(8, 14)])
        at.now[0] += 3_600
        at.time.elapsed += 7_200
        run = at.run()
        assert (run.state, run.accepted) == ("done", 6)
        assert at.edges[-3:] == ["ingest", "ingest", "removeAll"]
        assert at.members == digests(*range(8, 14))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("nth", "edges", "strangers"),
    [
        # two of three uploads are there
        (2, ["ingest", "ingest"], {STRANGER}),
        # all are, and whoever was not among them is gone
        (4, ["ingest", "ingest", "ingest", "removeAll"], set()),
    ],
)
def test_a_replacement_at_google_that_was_killed_is_made_good(
    world: World, monkeypatch: pytest.MonkeyPatch, nth: int, edges: list[str], strangers: set[str]
) -> None:
    with google_platform(world, monkeypatch) as at:
        world.build(members=[known(n) for n in range(10)])
        at.now[0] += 3_600
        kill_after_reply(world, nth)
        assert at.edges[1:] == edges
        assert len(at.members & digests(*range(10))) == min(nth * 4, 10)
        assert at.members - digests(*range(10)) == strangers
        # two leave meanwhile, and two come
        world.build(members=[known(n) for n in range(2, 12)])
        again = at.run()
        assert (again.state, again.plan.replaced) == ("done", (LABEL,))
        assert at.members == digests(*range(2, 12))
        runs = world.query("select is_balanced from raw_reverse_etl.runs")
        assert runs == [(True,), (True,)]


def test_what_ends_a_replacement_at_google_is_no_rows_fault() -> None:
    assert _closed(Taken()) == Taken()
    assert isinstance(_closed(Later("", is_maybe_accepted=True)), Later)
    assert isinstance(_closed(Taken({0: "refused"})), Stop)


@pytest.mark.parametrize("subcode", [1870147, 1870158, 1870159, 1870148])
def test_a_session_that_meta_gave_up_ends_the_run(subcode: int) -> None:
    error = {"code": 2650, "error_subcode": subcode, "message": "?"}
    answer = Answer(400, {}, json.dumps({"error": error}).encode())
    found = read_refusal(answer, Usage())
    assert isinstance(found, Stop)
    assert str(subcode) in found.reason
    other = replace(answer, body=json.dumps({"error": error | {"error_subcode": 1870145}}).encode())
    assert read_refusal(other, Usage()) == UNDER_WAY


REPLACED = [
    replace(one, is_replaced=True)
    for one in SUBJECTS
    if one.destination in {"google", "meta"} and not one.is_replaced
]


@pytest.fixture(params=REPLACED, ids=lambda subject: subject.destination)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench(request.param, tmp_path) as found:
        yield found


@pytest.mark.parametrize("failure", [{"status": 503}, {"status": 401}, {"kind": "malformed"}])
def test_rows_of_a_list_that_could_not_be_closed_are_unknown_each_of_them(
    desk: Bench, failure: dict[str, Any]
) -> None:
    # the requests that carry the rows pass, what closes the list does not
    desk.fail({"kind": "status", "times": 99, "skip": 2} | failure)
    changes = [desk.change(n) for n in range(10, 15)]
    result = desk.deliver(changes, records_per_request=3, attempts=2)
    assert result.problem in {"DestinationUnavailable", "CredentialsRejected"}
    assert result.outcomes == ["unknown"] * 5
    assert set(result.reasons) <= {UNCLOSED, *result.reasons[:1]}


def test_whoever_is_stopped_on_the_way_does_not_keep_a_list_open(
    desk: Bench, tmp_path: Path
) -> None:
    stopped = tmp_path / "stop.ndjson"
    entry = {"kind": "erasure", "identifier": stop_digest("person-11")}
    stopped.write_text(json.dumps(entry) + "\n")
    known_as = json.dumps({"known_as": {"id": stop_digest("person-11")}})
    changes = [desk.change(10), desk.change(11, payload=known_as), desk.change(12)]
    result = desk.deliver(changes, use="activate", stop_list=stopped)
    assert result.outcomes == ["accepted", "skipped", "accepted"]
    assert desk.sent == ["customer-10", "customer-12"]
