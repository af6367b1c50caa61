"""What the vendors' own clients send is taken, and is what the stand-ins then have."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import amplitude, customerio_track, google_data_manager, meta, mixpanel, segment
from fakes.server import serve_in_thread
from tests.conftest import ROOT

from .vendor_clients import EMAILS, INSERT_ID, INSTANT, ULID

if TYPE_CHECKING:
    from collections.abc import Callable

PYTHON = ROOT / ".venv-vendors" / "bin" / "python"
LABEL = "CIO | Buyers | 0-3d"
MARY, JOHN = (hashlib.sha256(text.strip().lower().encode()).hexdigest() for text in EMAILS)

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(),
    reason="the vendors' own clients are not here: `make vendors` installs them",
)


def drive(name: str, app: Any, *kept: str) -> tuple[Any, ...]:  # noqa: ANN401 - any stand-in
    """What a client says when it sends to a stand-in, and what the stand-in has then."""
    with serve_in_thread(app) as url:
        command = [str(PYTHON), str(ROOT / "tests" / "fakes" / "vendor_clients.py"), name, url]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ran.returncode == 0, ran.stderr
        with httpx.Client(base_url=url, trust_env=False) as client:
            requests = client.get("/_fake/requests").json()
            assert {one["status"] for one in requests} == {200}
            return (json.loads(ran.stdout), *(client.get(f"/_fake/{one}").json() for one in kept))


def test_amplitude() -> None:
    said, events, properties = drive("amplitude", amplitude.create_app(), "events", "properties")
    assert {code for _, code in said} == {200}
    assert [
        (one["event_type"], one["user_id"], one["time"], one["insert_id"]) for one in events
    ] == [
        ("Email Opened", user, INSTANT * 1000, f"{INSERT_ID}-{user}")
        for user in ("user-1001", "u2")
    ]
    assert properties == {user: {"fatigue_tier": "high"} for user in ("user-1001", "u2")}


def test_customerio() -> None:
    _, people, events, failures = drive(
        "customerio", customerio_track.create_app(), "profiles", "events", "failures"
    )
    assert {
        one["id"]: one["attributes"].get("tier", one["attributes"].get("plan")) for one in people
    } == {
        "user-1001": "high",
        "user-1003": "pro",
    }
    assert [(one["action"], one["name"]) for one in events] == [
        ("event", "Email Opened"),
        ("page", "https://example.com/cart"),
        ("event", "Order Placed"),
        ("event", "Product Viewed"),
        ("event", "Cart Left"),
    ]
    assert (events[0]["id"], events[0]["timestamp"]) == (ULID, INSTANT)
    assert events[2]["attributes"] == {"total": 12.5}
    assert events[3]["identifiers"] == {"anonymous_id": "visitor-7"}
    # what one lacked of the other it has, and what was suppressed did not come back unasked
    attributes = {"tier": "high", "created_at": INSTANT, "plan": "basic", "city": "Berlin"}
    assert people[0]["attributes"] == attributes
    assert failures == ["ignored: the identifier is suppressed"]


def test_google() -> None:
    said, lists = drive("google", google_data_manager.create_app(), "audiences")
    assert said == [[LABEL], ["SUCCESS"] * 4]
    assert lists == {LABEL: [{"emailAddress": JOHN}]}


def test_meta() -> None:
    said, lists = drive("meta", meta.create_app(), "audiences")
    assert said == [[LABEL, "CIO | Everybody"], [[2, 0], [1, 0], [1, 0]]]
    other = hashlib.sha256(b"a@example.com").hexdigest()
    assert lists == {
        LABEL: [{"EMAIL": MARY}, {"EXTERN_ID": "user-1003", "EMAIL": other}],
        "CIO | Everybody": [{"EXTERN_ID": "user-1"}, {"EXTERN_ID": "user-2"}],
    }


def test_mixpanel() -> None:
    _, events, profiles = drive("mixpanel", mixpanel.create_app(), "events", "profiles")
    assert sorted((one["event"], one["properties"]["distinct_id"]) for one in events) == [
        *(("Email Delivered", f"user-{number}") for number in range(3)),
        ("Email Opened", "user-1001"),
        ("Email Sent", "user-1001"),
    ]
    assert profiles == {
        "user-1001": {"fatigue_tier": "high", "cio_audiences": ["fatigued"]},
        **{f"user-{number}": {"number": number} for number in range(3)},
    }


def test_segment() -> None:
    said, calls, traits, dropped = drive(
        "segment", segment.create_app(), "calls", "traits", "dropped"
    )
    assert (said, dropped) == ([], [])
    assert [(one["type"], one["userId"]) for one in calls] == [
        (kind, "user-1001") for kind in ("track", "identify", "group")
    ]
    assert traits == {"user-1001": {"fatigue_tier": "high"}}


@pytest.mark.parametrize(
    ("app", "path", "body"),
    [
        (mixpanel.create_app, "/track", "data=%5B%5D"),
        (mixpanel.create_app, "/track", "data=%7B%22event%22%3A%22a%22%7D&verbose=1"),
        (amplitude.create_app, "/2/httpapi", '{"api_key":"another","events":[{}]}'),
    ],
)
def test_what_no_client_sends_is_refused_still(
    app: Callable[[], Any], path: str, body: str
) -> None:
    form = "application/x-www-form-urlencoded"
    with serve_in_thread(app()) as url:
        said = httpx.post(url + path, content=body, headers={"Content-Type": form}, trust_env=False)
    assert said.status_code == 400 or said.json()["status"] == 0
