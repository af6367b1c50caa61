"""Asking vendors to delete somebody for good, each request kept before it is made.

Who is to be deleted where is told by the receipts: the identifiers under which a sync sent them.
The journal of a case has hashes of identifiers alone. A request whose reply was lost is made again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import orjson

from reverse_etl.contract import Deletion, DeletionTaken, Denied, Later, Taken, TooLarge
from reverse_etl.credentials import SECTION, read_settings
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.http import Http, is_loopback
from reverse_etl.plan import account_digest
from reverse_etl.profile_keys import bare
from warehouse.connection import open_warehouse
from warehouse.errors import UsageError
from warehouse.stop_list import digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from reverse_etl.contract import Reply
    from reverse_etl.run import Room

_THEIRS = """
select distinct
    runs.destination, json_extract_string(runs.settings_fingerprint, '$.account') as account,
    receipts.identifier
from raw_reverse_etl.receipts
inner join raw_reverse_etl.runs
    on receipts.run_id = runs.run_id and receipts.sync = runs.sync
where receipts.outcome in ('accepted', 'unknown')
    and (list_contains($people, receipts.person_id)
        or list_contains($names, lower(trim(receipts.identifier))))
order by all
"""


@dataclass(frozen=True)
class VendorRequest:
    """What one vendor was asked, and what it said; without personal values.

    Attributes:
        destination: The vendor.
        covers: `profile`, or `everything` it has of them.
        request: Method and path.
        identifiers: SHA-256 of the identifiers that were named.
        at: When it answered, or when it was asked in vain, naive UTC.
        state: How far the vendor is, in its own word; empty if it did not take the request.
        reply_id: What the vendor calls the request, if it gives it a name.
        problem: Why it did not take it.
    """

    destination: str
    covers: str
    request: str
    identifiers: tuple[str, ...]
    at: str
    state: str = ""
    reply_id: str | None = None
    problem: str | None = None


class _Account(NamedTuple):
    destination: str
    digest: str


def ask_vendors(
    room: Room,
    journal: Path,
    people: Sequence[str],
    names: Sequence[str],
    shared: Collection[str],
) -> list[VendorRequest]:
    """Ask every vendor that a sync sent somebody to, and that can be asked, to delete them.

    Args:
        room: The home and the manifest.
        journal: Where requests of this case are kept; those that were taken are not made again.
        people: Their person ids.
        names: Their identifiers, trimmed and in small letters.
        shared: Identifiers that others have too: no vendor is named one.

    Returns:
        The requests that vendors took, now or before, and those that failed now. A vendor whose
        keys are not set, or who was told in another account, is not asked.
    """
    kept = _read(journal)
    taken = [one for one in kept if one.get("outcome") == "taken"]
    failed: list[dict[str, Any]] = []
    for account, identifiers in _theirs(room, people, names).items():
        alone = [each for each in identifiers if bare(each).strip().lower() not in shared]
        for deletion in DESTINATIONS[account.destination].deletions:
            before = {
                each
                for one in taken
                if (one["destination"], one["account"]) == account
                and one["covers"] == deletion.covers
                for each in one["identifiers"]
            }
            wanted = [each for each in alone if digest(each) not in before]
            for start in range(0, len(wanted), deletion.limit):
                some = wanted[start : start + deletion.limit]
                record = _ask(room, journal, account, deletion, some)
                if record is not None:
                    (taken if record["outcome"] == "taken" else failed).append(record)
    return [_request(one) for one in (*taken, *failed)]


def _theirs(room: Room, people: Sequence[str], names: Sequence[str]) -> dict[_Account, list[str]]:
    """The identifiers that each account of a vendor that can be asked was sent."""
    with open_warehouse(room.home, purpose="find what was sent") as warehouse:
        try:
            rows = warehouse.execute(
                _THEIRS, {"people": list(people), "names": list(names)}
            ).fetchall()
        except duckdb.CatalogException:
            return {}
    found: dict[_Account, list[str]] = {}
    for destination, account, identifier in rows:
        if destination in DESTINATIONS and identifier:
            found.setdefault(_Account(destination, account), []).append(identifier)
    return found


def _ask(
    room: Room,
    journal: Path,
    account: _Account,
    deletion: Deletion,
    identifiers: Sequence[str],
) -> dict[str, Any] | None:
    """Make one request and keep it; nothing if the settings have no keys for it."""
    name = account.destination
    record: dict[str, Any] = {
        "destination": name,
        "account": account.digest,
        "covers": deletion.covers,
        "request": deletion.request,
        "identifiers": [digest(each) for each in identifiers],
    }
    try:
        settings: Any = read_settings(DESTINATIONS[name].settings, name)
    except UsageError as error:
        return record | {"at": _at(room), "outcome": str(error)}
    if account_digest(settings) != account.digest or deletion.missing(settings):
        return None
    url = deletion.url(settings)
    if is_loopback(url) != is_loopback(settings.url):
        outcome = f"base URLs of [{SECTION}.{name}] must all be this machine, or none"
        return record | {"at": _at(room), "outcome": outcome}
    _keep(journal, record | {"at": _at(room), "outcome": "asking"})
    with Http(url, clock=room.clock) as http:
        reply = deletion.ask(settings, http, identifiers)
    record["at"] = _at(room)
    if isinstance(reply, DeletionTaken):
        record |= {"outcome": "taken", "state": reply.state, "reply_id": reply.reply_id}
    else:
        record["outcome"] = _in_words(reply)
    _keep(journal, record)
    return record


def _in_words(reply: Reply) -> str:
    match reply:
        case Denied(status=status):
            return f"refuses the credentials ({status})"
        case Taken(refused=refused):
            return f"refused: {'; '.join(dict.fromkeys(refused.values()))}"
        case Later(reason=reason) | TooLarge(reason=reason):
            return f"did not take it: {reason}"
        case _:
            return reply.reason


def _at(room: Room) -> str:
    return room.clock.now().isoformat(timespec="seconds")


def _request(record: dict[str, Any]) -> VendorRequest:
    is_taken = record["outcome"] == "taken"
    return VendorRequest(
        destination=record["destination"],
        covers=record["covers"],
        request=record["request"],
        identifiers=tuple(record["identifiers"]),
        at=record["at"],
        state=record["state"] if is_taken else "",
        reply_id=record["reply_id"] if is_taken else None,
        problem=None if is_taken else record["outcome"],
    )


def _read(journal: Path) -> list[dict[str, Any]]:
    """What was kept; a last line that a kill cut off was of a request not yet made."""
    return list(_lines(journal)) if journal.exists() else []


def _lines(journal: Path) -> Iterator[dict[str, Any]]:
    for line in journal.read_bytes().splitlines():
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            continue


def _keep(journal: Path, record: dict[str, Any]) -> None:
    descriptor = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        # a line that was cut off stays one of its own
        file.write(b"\n" + orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        file.flush()
        os.fsync(file.fileno())
