"""Vendors are asked to delete, by what the receipts say they were sent; each request is kept.

And they are asked how far they are, until they say that it is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import amplitude, customerio_track, klaviyo, mixpanel, segment
from fakes.server import serve_in_thread
from reverse_etl.clock import Clock
from reverse_etl.contract import Deletion, DeletionTaken, Denied, Later, Stop
from reverse_etl.credentials import read_settings
from reverse_etl.deletion import VendorRequest, ask_vendors, follow_vendors
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.http import Http
from reverse_etl.run import Room, run_syncs
from tests.reverse_etl.stand_ins import configure
from tests.reverse_etl.world import World, event, member
from warehouse.stop_list import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.contract import Reply

STAND_INS = {
    "mixpanel": mixpanel,
    "amplitude": amplitude,
    "customerio": customerio_track,
    "segment": segment,
    "klaviyo": klaviyo,
}
# and two profiles that one text finds, as Klaviyo allows: one by the address, one by the id
PROFILES = [
    *({"email": f"{n}@example.com", "external_id": f"customer-{n}"} for n in range(1, 5)),
    {"email": "5@example.com"},
    {"external_id": "5@example.com"},
]


@pytest.fixture(scope="module")
def vendors() -> Iterator[dict[str, str]]:
    with (
        serve_in_thread(mixpanel.create_app()) as first,
        serve_in_thread(amplitude.create_app()) as second,
        serve_in_thread(customerio_track.create_app()) as third,
        serve_in_thread(segment.create_app()) as fourth,
        serve_in_thread(klaviyo.create_app(people=PROFILES)) as fifth,
    ):
        yield dict(zip(STAND_INS, (first, second, third, fourth, fifth), strict=True))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, vendors: dict[str, str]) -> Iterator[World]:
    """Four people whose messages four vendors were sent, and who are in lists of a fifth."""
    folder = tmp_path_factory.mktemp("deletion")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("DLT_PROJECT_DIR", str(folder))
        for name, address in vendors.items():
            configure(patch, name, STAND_INS[name].settings(address))
        world = World.make(folder)
        world.declare_members("klaviyo", destination="klaviyo", use="suppress", identity="email")
        for name in vendors.keys() - {"klaviyo"}:
            by = "profile_key" if name == "customerio" else "customer_id"
            what = "events" if name == "customerio" else "message_events"
            world.declare_events(name, destination=name, object=what, identity=by)
        people = range(1, 5)
        world.build(events=[event(n) for n in people], members=[member(n) for n in people])
        runs = run_syncs(Room(world.home, world.manifest))
        assert [run.state for run in runs] == ["done"] * 5
        yield world


def ask(world: World, number: int, *, shared: tuple[str, ...] = ()) -> list[VendorRequest]:
    return ask_vendors(
        Room(world.home, world.manifest),
        world.home.root / f"requests-{number}.ndjson",
        [f"person-{number}"],
        [f"customer-{number}"],
        shared,
    )


def asked(vendors: dict[str, str], vendor: str, what: str = "deletions") -> Any:  # noqa: ANN401 - any JSON
    return httpx.get(f"{vendors[vendor]}/_fake/{what}", trust_env=False).json()


def test_each_vendor_is_asked_once_for_what_it_was_sent(
    world: World, vendors: dict[str, str]
) -> None:
    found = ask(world, 1)
    said = {(one.destination, one.covers): (one.state, one.problem) for one in found}
    assert said == {
        ("amplitude", "everything"): ("staging", None),
        ("customerio", "everything"): ("deleted and suppressed", None),
        ("klaviyo", "everything"): ("requested", None),
        ("mixpanel", "profile"): ("deleted", None),
        ("mixpanel", "everything"): ("PENDING", None),
        ("segment", "everything"): ("INITIALIZED", None),
    }
    tasks = asked(vendors, "mixpanel")
    assert [task["distinct_ids"] for task in tasks] == [["customer-1"]]
    assert [job["user_ids"] for job in asked(vendors, "amplitude")] == [["customer-1"]]
    (regulation,) = asked(vendors, "segment", "regulations")
    assert regulation["subjectIds"] == ["customer-1"]
    assert regulation["regulationType"] == "SUPPRESS_WITH_DELETE"
    assert ["id", "customer-1"] in asked(vendors, "customerio", "suppressed")
    people = asked(vendors, "customerio", "profiles")
    assert {one["id"] for one in people} == {"customer-2", "customer-3", "customer-4"}
    by_vendor = {one.destination: one for one in found if one.covers == "everything"}
    assert by_vendor["mixpanel"].reply_id == tasks[0]["tracking_id"]
    assert (by_vendor["amplitude"].reply_id or "").startswith("job of 20")
    assert by_vendor["customerio"].identifiers == (digest("id:customer-1"),)
    # again: nobody is asked, and what was said is still told
    assert ask(world, 1) == found
    assert asked(vendors, "mixpanel") == tasks
    text = (world.home.root / "requests-1.ndjson").read_text()
    assert "customer-1" not in text
    assert digest("customer-1") in text


def test_who_did_not_take_it_is_asked_again_and_the_others_are_not(
    world: World, vendors: dict[str, str]
) -> None:
    failure = {"kind": "drop", "when": "after", "path": "/api/2/deletions/users"}
    httpx.post(f"{vendors['amplitude']}/_fake/script", json=[failure], trust_env=False)
    before = len(asked(vendors, "amplitude"))
    first = ask(world, 2)
    assert [one.destination for one in first if one.problem] == ["amplitude"]
    # the reply was lost, so that the second request may be one too many; it does no harm
    second = ask(world, 2)
    assert not any(one.problem for one in second)
    assert len(asked(vendors, "amplitude")) == before + 2
    named = [task["distinct_ids"] for task in asked(vendors, "mixpanel")]
    assert named.count(["customer-2"]) == 1


def test_killed_before_the_answer_is_kept_it_is_asked_again(
    world: World, vendors: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    post = Http.post

    def die(http: Http, path: str, **rest: Any) -> Any:  # noqa: ANN401 - as the method
        reply = post(http, path, **rest)
        if "data-deletions" in path:
            raise Killed
        return reply

    with monkeypatch.context() as patch:
        patch.setattr(Http, "post", die)
        with pytest.raises(Killed):
            ask(world, 3)
    journal = world.home.root / "requests-3.ndjson"
    with journal.open("ab") as file:
        file.write(b'\n{"destination": "mixp')  # as a kill leaves a line
    assert not any(one.problem for one in ask(world, 3))
    named = [task["distinct_ids"] for task in asked(vendors, "mixpanel")]
    assert named.count(["customer-3"]) == 2
    assert [job["user_ids"] for job in asked(vendors, "amplitude")].count(["customer-3"]) == 1


def test_whom_others_share_and_without_keys_and_in_another_account_nobody_is_asked(
    world: World, vendors: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(world, 4, shared=("customer-4", "4@example.com")) == []
    with monkeypatch.context() as patch:
        patch.setenv("REVERSE_ETL__MIXPANEL__GDPR_TOKEN", "")
        patch.setenv("REVERSE_ETL__AMPLITUDE__API_KEY", "another")
        patch.setenv("REVERSE_ETL__SEGMENT__PUBLIC_API_TOKEN", "")
        patch.setenv("REVERSE_ETL__KLAVIYO__PRIVACY_KEY", "")
        patch.setenv("REVERSE_ETL__CUSTOMERIO__BASE_URL", "https://proxy.example.com")
        patch.setenv("REVERSE_ETL__CUSTOMERIO__APP_BASE_URL", vendors["customerio"])
        found = ask(world, 4)
    assert {one.destination: one.problem is None for one in found} == {
        "mixpanel": True,  # its profile, which needs no more than the token
        "customerio": False,
    }
    assert [one.covers for one in found if one.problem is None] == ["profile"]
    assert "must both be this machine" in str(found[-1].problem)


def request(vendor: str, ids: list[str]) -> DeletionTaken | Reply:
    deletion: Deletion = DESTINATIONS[vendor].deletions[-1]
    settings: Any = read_settings(DESTINATIONS[vendor].settings, vendor)
    with Http(deletion.url(settings), clock=Clock()) as http:
        return deletion.ask(settings, http, ids)


@pytest.mark.parametrize(
    ("vendor", "key"),
    [
        ("mixpanel", "gdpr_token"),
        ("amplitude", "secret_key"),
        ("customerio", "api_key"),
        ("segment", "public_api_token"),
        ("klaviyo", "privacy_key"),
    ],
)
@pytest.mark.usefixtures("world")
def test_a_vendor_that_refuses_the_key_is_said_to(
    monkeypatch: pytest.MonkeyPatch, vendor: str, key: str
) -> None:
    monkeypatch.setenv(f"REVERSE_ETL__{vendor}__{key}".upper(), "wrong")
    assert isinstance(request(vendor, ["id:9"]), Denied)


# Klaviyo is asked for profiles first, and takes one a request
@pytest.mark.parametrize("vendor", [name for name in STAND_INS if name != "klaviyo"])
@pytest.mark.usefixtures("world")
def test_half_a_reply_is_no_success_and_too_many_people_are_refused(
    vendors: dict[str, str], vendor: str
) -> None:
    script = [{"kind": "malformed", "when": "after"}]
    httpx.post(f"{vendors[vendor]}/_fake/script", json=script, trust_env=False)
    reply = request(vendor, ["id:9"])
    assert isinstance(reply, Later)
    assert reply.is_maybe_accepted
    if vendor != "customerio":
        most = DESTINATIONS[vendor].deletions[-1].limit
        ids = [f"id:{n}" for n in range(most + 1)]
        assert isinstance(request(vendor, ids), Stop)
        assert isinstance(request(vendor, ids[:-1]), DeletionTaken)


def test_a_stand_in_that_suppressed_somebody_makes_no_new_profile_of_them(
    world: World, vendors: dict[str, str]
) -> None:
    ask(world, 1)
    item = {"type": "person", "identifiers": {"id": "customer-1"}, "action": "identify"}
    keys = (customerio_track.SITE_ID, customerio_track.API_KEY)
    url = f"{vendors['customerio']}/api/v2/entity"
    assert httpx.post(url, json=item, auth=keys, trust_env=False).status_code == 200
    people = asked(vendors, "customerio", "profiles")
    assert "customer-1" not in {one["id"] for one in people}


def test_klaviyo_deletes_every_profile_that_has_the_address_or_id(
    world: World, vendors: dict[str, str]
) -> None:
    path = "/api/data-privacy-deletion-jobs"
    lost = {"kind": "malformed", "when": "after", "path": path}
    httpx.post(f"{vendors['klaviyo']}/_fake/script", json=[lost], trust_env=False)
    reply = request("klaviyo", ["5@example.com"])
    assert isinstance(reply, Later)
    assert reply.is_maybe_accepted
    assert request("klaviyo", ["5@example.com"]) == DeletionTaken("requested")
    assert request("klaviyo", ["5@example.com"]) == DeletionTaken("no profile is there", end="done")
    gone = asked(vendors, "klaviyo")
    assert [one for one in gone if "5@example.com" in one.values()] == [
        {"email": "5@example.com", "properties": {}},
        {"external_id": "5@example.com", "properties": {}},
    ]
    kept = asked(vendors, "klaviyo", "profiles")
    assert "4@example.com" in {one.get("email") for one in kept}
    assert world.home.root.exists()


def advance(vendors: dict[str, str], states: dict[str, str]) -> None:
    for vendor, state in states.items():
        what = "regulations" if vendor == "segment" else "deletions"
        httpx.post(f"{vendors[vendor]}/_fake/{what}", json=state, trust_env=False)


def test_a_request_is_followed_until_the_vendor_says_it_is_over(
    world: World, vendors: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(world, 1)
    journal = world.home.root / "requests-1.ndjson"
    room = Room(world.home, world.manifest)

    def ends() -> dict[tuple[str, str], tuple[str, str | None, str | None]]:
        found = follow_vendors(room, journal)
        assert len(found) == len(first)
        return {(one.destination, one.covers): (one.state, one.end, one.problem) for one in found}

    at_once = {
        ("customerio", "everything"): ("deleted and suppressed", "done", None),
        ("mixpanel", "profile"): ("deleted", "done", None),
        ("klaviyo", "everything"): ("requested", None, None),
    }
    advance(vendors, {"mixpanel": "STARTED", "amplitude": "submitted", "segment": "RUNNING"})
    assert ends() == at_once | {
        ("amplitude", "everything"): ("submitted", None, None),
        ("mixpanel", "everything"): ("STARTED", None, None),
        ("segment", "everything"): ("RUNNING", None, None),
    }
    with monkeypatch.context() as patch:
        patch.setenv("REVERSE_ETL__MIXPANEL__GDPR_TOKEN", "wrong")
        patch.setenv("REVERSE_ETL__SEGMENT__PUBLIC_API_TOKEN", "")
        found = ends()
    assert found["mixpanel", "everything"] == ("STARTED", None, "refuses the credentials (401)")
    assert "not set" in str(found["segment", "everything"][2])
    advance(vendors, {"mixpanel": "SUCCESS", "amplitude": "done", "segment": "PARTIAL_SUCCESS"})
    over = at_once | {
        ("amplitude", "everything"): ("done", "done", None),
        ("mixpanel", "everything"): ("SUCCESS", "done", None),
        ("segment", "everything"): ("PARTIAL_SUCCESS", "failed", None),
    }
    assert ends() == over
    # what is over is not asked for again, and nobody is asked to delete again
    advance(vendors, {"mixpanel": "PENDING", "amplitude": "staging", "segment": "INITIALIZED"})
    kept = journal.read_bytes()
    assert ends() == over
    assert {(one.destination, one.covers): one.end for one in ask(world, 1)} == {
        key: end for key, (_, end, _) in over.items()
    }
    assert journal.read_bytes() == kept
