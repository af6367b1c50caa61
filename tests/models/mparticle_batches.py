"""A small shop's traffic as mParticle would report it, in batches of its documented shapes.

Users come anonymously, leave an address, get a customer id and a second device; they buy, opt out
and back in; batches are replayed after a login, so that two versions of one event differ in who is
named; and servers send events without ids.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

START_MS = 1_780_000_000_000
HOUR_MS = 3_600_000
NAMES = ("  Added To Cart ", "Searched", "Wrote Review")
SKUS = (("sku-1", "Shoes", 40.5), ("sku-2", "Socks", 6), ("sku-3", None, 15.25))


@dataclass
class Traffic:
    """Batches, one JSON text each, and what should come of them."""

    lines: list[bytes] = field(default_factory=list)
    events: set[int] = field(default_factory=set)
    transactions: set[str] = field(default_factory=set)


def traffic(*, users: int, seed: int) -> Traffic:
    """Batches of so many users, in the order they happened."""
    chance = random.Random(seed)
    made = Traffic()
    for user in range(users):
        _user(made, chance, user)
    return made


def _user(made: Traffic, chance: random.Random, user: int) -> None:
    mpid = -chance.getrandbits(62)
    address, customer_id = f"U{user}@Example.com", f"c-{user}"
    known: dict[str, str] = {}
    now = START_MS + user * HOUR_MS
    for visit in range(4):
        now += chance.randrange(HOUR_MS, 30 * HOUR_MS)
        device = f"00000000-0000-4000-8000-{user:08d}000{visit // 2}"
        before = dict(known)
        if visit == 1:
            known["email"] = address
        if visit == 2 and user % 3:
            known["customerid" if user % 2 else "customer_id"] = customer_id
        events = [_custom(made, chance, now + n) for n in range(chance.randrange(1, 4))]
        events.append({"event_type": "screen_view", "data": {"screen_name": f"Page {visit}"}})
        if visit == 2:
            events.append(_identity_change(customer_id))
        if visit == 3:
            events += [_purchase(made, chance, user), _opt_out(chance, now, user)]
        envelope = {
            "mpid": mpid if user % 2 else str(mpid),
            "mp_deviceid": device,
            "batch_id": -chance.getrandbits(62),
            "timestamp_unixtime_ms": now,
            "environment": "development" if user % 7 == 6 else "production",
            "user_attributes": {"$FirstName": f"User {user}", "created_at": now // 1000},
            "events": events,
        }
        made.lines.append(_line(envelope, known, is_list=visit == 3))
        if before != known:
            # the same events, reported before the login was known
            made.lines.append(_line(envelope | {"batch_id": visit}, before, is_list=False))


def _line(envelope: dict[str, object], known: dict[str, str], *, is_list: bool) -> bytes:
    pairs = [{"identity_type": kind, "identity": name} for kind, name in known.items()]
    identities: object = pairs if is_list else known
    return json.dumps(envelope | {"user_identities": identities}).encode() + b"\n"


def _event_id(made: Traffic, chance: random.Random) -> int:
    event_id = chance.getrandbits(63) - 2**62
    made.events.add(event_id)
    return event_id


def _custom(made: Traffic, chance: random.Random, at: int) -> dict[str, object]:
    data = {
        "event_name": chance.choice(NAMES),
        "custom_event_type": "other",
        "event_id": _event_id(made, chance),
        "timestamp_unixtime_ms": at,
        "custom_attributes": chance.choice((None, {"nested": {"n": at}})),
    }
    return {"event_type": "custom_event", "data": data}


def _purchase(made: Traffic, chance: random.Random, user: int) -> dict[str, object]:
    sku, category, price = chance.choice(SKUS)
    if user % 7 != 6:
        made.transactions.add(f"t-{user}")
    product = {"id": sku, "category": category, "price": price, "quantity": 2}
    action = {"action": "purchase", "transaction_id": f"t-{user}", "products": [product]}
    data = {"event_id": _event_id(made, chance), "product_action": action, "currency_code": "EUR"}
    return {"event_type": "commerce_event", "data": data}


def _opt_out(chance: random.Random, at: int, user: int) -> dict[str, object]:
    data = {"is_opted_out": user % 2 == 0, "timestamp_unixtime_ms": at + chance.randrange(99)}
    return {"event_type": "opt_out", "data": data}


def _identity_change(customer_id: str) -> dict[str, object]:
    new = {"identity_type": "customer_id", "identity": customer_id}
    old = {"identity_type": "customer_id", "identity": None}
    return {"event_type": "user_identity_change", "data": {"new": new, "old": old}}
