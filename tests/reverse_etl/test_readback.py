"""What destinations say they have beside what they were sent, and whether the clocks agree."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from fakes import amplitude
from reverse_etl.__main__ import main
from reverse_etl.clock import Clock
from reverse_etl.readback import ReadBack, Size, keep_read_back, note_read_back, read_back
from reverse_etl.run import run_syncs
from reverse_etl.status import check_syncs

from .stand_ins import configure, running
from .world import World, member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from reverse_etl.run import Room

    from .conftest import Fake

AUTH = (amplitude.API_KEY, amplitude.SECRET_KEY)
CLICKERS, BUYERS = "CIO | clickers | 0-7d", "CIO | buyers | 0-7d"


@pytest.fixture
def cohorts(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The stand-in of Amplitude, configured as the destination."""
    with running(amplitude.create_app(refused=["customer-3"])) as client:
        configure(monkeypatch, "amplitude", amplitude.settings(str(client.base_url).rstrip("/")))
        yield client


def test_what_a_destination_has_is_compared_with_what_it_was_sent(
    world: World,
    room: Callable[..., Room],
    cohorts: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.declare_members(destination="amplitude")
    world.build(members=[member(1), member(2), member(3), member(1, "buyers", label=BUYERS)])
    assert read_back(room())[0].sizes == ()
    run_syncs(room())
    (cohort,) = [
        one["id"]
        for one in cohorts.get("/api/3/cohorts", auth=AUTH).json()["cohorts"]
        if one["name"] == BUYERS
    ]
    by_hand = {"ids": ["somebody else's"], "id_type": "BY_NAME", "operation": "ADD"}
    cohorts.post(
        "/api/3/cohorts/membership",
        auth=AUTH,
        json={"cohort_id": cohort, "memberships": [by_hand], "skip_invalid_ids": True},
    ).raise_for_status()

    (found,) = read_back(room())
    assert found.sizes == (
        Size("members", BUYERS, sent=1, there=2),
        # the third is unknown to Amplitude: refused, and so not counted as sent
        Size("members", CLICKERS, sent=2, there=2),
    )
    monkeypatch.setenv("CIO_HOME", str(world.home.root))
    manifest = ["--manifest", str(world.manifest)]
    assert main(["check", "--json", *manifest]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [size["difference"] for size in shown["sizes"]] == [1, 0]
    kept = "select label, members_sent, members_there from raw_reverse_etl.read_backs order by all"
    assert world.query(kept) == [(BUYERS, 1, 2), (CLICKERS, 2, 2)]
    assert main(["check", *manifest]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "members: CIO | buyers | 0-7d: 1 sent, 2 there (+1)",
        "members: CIO | clickers | 0-7d: 2 on both sides",
    ]


def test_what_cannot_be_read_back_says_why(
    world: World, room: Callable[..., Room], cohorts: httpx.Client
) -> None:
    world.declare_members(destination="amplitude")
    world.build(members=[member(1)])
    run_syncs(room())
    cohorts.post("/_fake/script", json=[{"kind": "status", "status": 503}])
    (found,) = keep_read_back(room())
    assert found.lines() == ["members: its sizes cannot be read back: answered 503"]
    assert world.query("select count(*) from raw_reverse_etl.read_backs") == [(0,)]


def test_a_run_does_not_wait_for_what_destinations_say(
    world: World, room: Callable[..., Room], cohorts: httpx.Client
) -> None:
    world.declare_members(destination="amplitude")
    world.home.warehouse.write_bytes(b"not a warehouse")
    told: list[str] = []
    note_read_back(room(on_event=told.append))
    assert len(told) == 1
    assert told[0].startswith("what destinations have was not asked: ")
    assert cohorts.get("/_fake/requests").json() == []


def test_a_run_lands_what_its_plan_found_label_by_label(
    world: World, room: Callable[..., Room], cohorts: httpx.Client
) -> None:
    world.declare_members(destination="amplitude")
    buyer = member(1, "buyers", label=BUYERS)
    world.build(members=[member(1), member(2), member(3), buyer])
    run_syncs(room())
    world.build(members=[member(1), member(3), member(4)])
    run_syncs(room())
    landed = "select label, wanted, in_place, leaving from raw_reverse_etl.planned_labels "
    assert world.query(landed + "order by run_id, label") == [
        (BUYERS, 1, 0, 0),
        (CLICKERS, 3, 0, 0),
        (BUYERS, 0, 0, 1),
        # the third was refused: it is wanted and not in place
        (CLICKERS, 3, 1, 1),
    ]
    assert set(cohorts.get("/_fake/cohorts").json()[CLICKERS]) == {"customer-1", "customer-4"}


def test_a_cohort_that_is_not_there_has_no_size() -> None:
    gone = ReadBack("members", "amplitude", (Size("members", BUYERS, sent=4, there=None),))
    assert gone.sizes[0].difference is None
    assert "4 sent; the destination does not say" in gone.lines()[0]


@pytest.mark.parametrize(
    ("seconds", "word"), [(-600, "behind"), (600, "ahead of"), (-60, None), (60, None)]
)
def test_a_clock_that_is_off_is_noticed(
    world: World, fake: Fake, room: Callable[..., Room], seconds: int, word: str | None
) -> None:
    world.declare_events()
    off = Clock(now=lambda: datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=seconds))
    ((_, answer),) = check_syncs(room(clock=off))
    assert answer is not None
    assert answer.is_ok is (word is None)
    if word is not None:
        assert f"s {word} the vendor's" in answer.message
    assert fake.events == []
