"""What mParticle saw of some of the town: batches of its documented shape, and its audiences.

A tenth of the people use the app. Some of them are anonymous; some have a second device, which
knows another `created_at`; who opted out of everything opted out there too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from fakes.world.people import FAMILIES
from fakes.world.settings import DAY, HOUR, NEVER, Ints, happens

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.world.people import Town

SHARE = 0.1
AUDIENCES = (("11034", "App users"), ("11036", "Tea drinkers"))
_NAMES = ("Product Viewed", "  Added To Cart ", "Searched")
_ANONYMOUS_SHARE = 0.05
_SECOND_DEVICE_SHARE = 0.2
_LEFT_SHARE = 0.1
_LATEST_DAYS = 10
_FIRST_ID = -(2**62)


def write(town: Town, opted_out_at: Ints, folder: Path) -> tuple[Path, Path, dict[str, int]]:
    """Write batches and memberships.

    Args:
        town: everyone.
        opted_out_at: when each person opted out of everything.
        folder: where to write.

    Returns:
        The file of batches, the file of memberships, and how much is in them: users, events,
        anonymous users and memberships.
    """
    settings, people, profiles = town.settings, town.people, town.profiles
    rng = settings.stream("mparticle")
    is_user = happens(rng.random(people.count), SHARE)
    is_user &= (people.created_at < settings.end - DAY) & (people.deleted_at == NEVER)
    users = np.flatnonzero(is_user)
    names = {
        name: getattr(profiles, name).take(pa.array(users)).to_pylist()
        for name in ("customer_id", "email", "first_name", "last_name", "country")
    }
    lines: list[bytes] = []
    events = anonymous = 0
    for row, person in enumerate(users.tolist()):
        newest = settings.end - int(rng.integers(1, _LATEST_DAYS * DAY))
        newest = max(newest, int(people.created_at[person]) + HOUR)
        is_anonymous = happens(rng.random(1), _ANONYMOUS_SHARE)[0]
        anonymous += int(is_anonymous)
        happened = _events(rng, newest, events, settings.end)
        if opted_out_at[person] < settings.end:
            happened.append(_opt_out(int(opted_out_at[person]), events + len(happened)))
        events += len(happened)
        identities = {key: names[key][row] for key in ("customer_id", "email") if names[key][row]}
        attributes = {
            "$FirstName": names["first_name"][row],
            "$LastName": names["last_name"][row],
            "created_at": int(people.created_at[person]),
            "country": names["country"][row],
            "favourite_families": [FAMILIES[int(people.family[person])]],
            "is_staff": False,
        }
        batch = {
            "mpid": _FIRST_ID + person,
            "mp_deviceid": f"00000000-0000-4000-8000-{person:012d}",
            "batch_id": _FIRST_ID + row,
            "timestamp_unixtime_ms": newest * 1000,
            "environment": "production",
            "user_identities": {} if is_anonymous else identities,
            "user_attributes": attributes,
            "events": happened,
        }
        lines.append(_line(batch))
        if happens(rng.random(1), _SECOND_DEVICE_SHARE)[0] and not is_anonymous:
            lines.append(_line(_second_device(batch, person)))
    batches = folder / "mparticle.jsonl"
    batches.write_bytes(b"".join(lines))
    memberships, count = _write_memberships(town, users, names["customer_id"], folder)
    counts = {
        "mparticle_users": len(users),
        "mparticle_events": events,
        "mparticle_anonymous": anonymous,
        "mparticle_memberships": count,
    }
    return batches, memberships, counts


def _line(batch: dict[str, Any]) -> bytes:
    return json.dumps(batch, separators=(",", ":")).encode() + b"\n"


def _second_device(batch: dict[str, Any], person: int) -> dict[str, Any]:
    """A device that came later, and says it was created later."""
    attributes = batch["user_attributes"]
    later = {"created_at": attributes["created_at"] + 40 * DAY}
    return batch | {
        "mp_deviceid": f"00000000-0000-4000-9000-{person:012d}",
        "batch_id": batch["batch_id"] + 2**40,
        "timestamp_unixtime_ms": batch["timestamp_unixtime_ms"] + 1000,
        "user_attributes": attributes | later,
        "events": [],
    }


def _events(rng: np.random.Generator, newest: int, first: int, end: int) -> list[dict[str, Any]]:
    """A screen, and one to three things done, the last of them at `newest`."""
    count = int(rng.integers(1, 4))
    screen = {"screen_name": "Home", "custom_attributes": {"tab": "start"}}
    found = [_event("screen_view", newest - count * 60, first, screen)]
    for place in range(count):
        sku = int(rng.integers(1, 40))
        data = {
            "event_name": _NAMES[int(rng.integers(0, len(_NAMES)))],
            "custom_event_type": "other",
            "custom_attributes": {
                "sku": f"{FAMILIES[sku % len(FAMILIES)]}-{sku}",
                "page": {"path": f"/p/{sku}", "position": place},
            },
        }
        at = min(newest - (count - place - 1) * 60, end - 1)
        found.append(_event("custom_event", at, first + place + 1, data))
    return found


def _opt_out(at: int, number: int) -> dict[str, Any]:
    return _event("opt_out", at, number, {"is_opted_out": True})


def _event(kind: str, at: int, number: int, data: dict[str, Any]) -> dict[str, Any]:
    identity = {"event_id": _FIRST_ID + number, "timestamp_unixtime_ms": at * 1000}
    return {"event_type": kind, "data": identity | data}


def _write_memberships(
    town: Town, users: Ints, customer_ids: list[str | None], folder: Path
) -> tuple[Path, int]:
    """Users with the app, and those who like tea; some left again."""
    settings, people = town.settings, town.people
    rng = settings.stream("mparticle audiences")
    rows: list[tuple[str, str, str, str, int]] = []
    for (audience_id, name), is_in in zip(
        AUDIENCES, (people.has_app, people.family == FAMILIES.index("tea")), strict=True
    ):
        has_left = happens(rng.random(len(users)), _LEFT_SHARE)
        for place, person in enumerate(users.tolist()):
            customer_id = customer_ids[place]
            if not is_in[person] or customer_id is None:
                continue
            entered = settings.end - 5 * DAY + person % DAY
            rows.append((customer_id, audience_id, name, "entered", entered))
            if has_left[place]:
                rows.append((customer_id, audience_id, name, "left", entered + DAY))
    columns = list(zip(*rows, strict=True)) or [()] * 5
    names = ("customer_id", "audience_id", "audience_name", "change", "changed_at")
    path = folder / "mparticle_audiences.csv"
    csv.write_csv(pa.table(dict(zip(names, map(list, columns), strict=True))), path)
    return path, len(rows)
