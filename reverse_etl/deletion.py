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
from reverse_etl.profile_keys import bare
from reverse_etl.scope import account_digest
from warehouse.connection import open_warehouse
from warehouse.errors import UsageError
from warehouse.stop_list import digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from reverse_etl.contract import DeletionEnd, Reply
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
        end: `done` or `failed` once the vendor says that nothing more will happen.
        ended_at: When it first said so to us.
        problem: Why it did not take it, or does not say how far it is.
    """

    destination: str
    covers: str
    request: str
    identifiers: tuple[str, ...]
    at: str
    state: str = ""
    reply_id: str | None = None
    end: DeletionEnd | None = None
    ended_at: str | None = None
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
    taken = _taken(journal)
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
    record: dict[str, Any] = {
        "destination": account.destination,
        "account": account.digest,
        "covers": deletion.covers,
        "request": deletion.request,
        "identifiers": [digest(each) for each in identifiers],
    }
    try:
        settings = _settings(account, deletion)
    except UsageError as error:
        return record | {"at": _at(room), "outcome": str(error)}
    if settings is None:
        return None
    _keep(journal, record | {"at": _at(room), "outcome": "asking"})
    with Http(deletion.url(settings), clock=room.clock) as http:
        reply = deletion.ask(settings, http, identifiers)
    record["at"] = _at(room)
    if isinstance(reply, DeletionTaken):
        record |= {"outcome": "taken"} | _told(reply, record["at"])
    else:
        record["outcome"] = _in_words(reply)
    _keep(journal, record)
    return record


def _settings(account: _Account, deletion: Deletion) -> Any | None:  # noqa: ANN401 - a destination's own
    """The settings to ask with; nothing if they lack keys for it, or name another account.

    Raises:
        UsageError: They are not right.
    """
    name = account.destination
    settings: Any = read_settings(DESTINATIONS[name].settings, name)
    if account_digest(settings) != account.digest or deletion.missing(settings):
        return None
    if is_loopback(deletion.url(settings)) != is_loopback(settings.url):
        message = f"base URLs of [{SECTION}.{name}] must all be this machine, or none"
        raise UsageError(message)
    return settings


def _told(reply: DeletionTaken, at: str) -> dict[str, Any]:
    ended_at = at if reply.end else None
    return {
        "state": reply.state,
        "reply_id": reply.reply_id,
        "end": reply.end,
        "ended_at": ended_at,
    }


def follow_vendors(room: Room, journal: Path) -> list[VendorRequest]:
    """Ask how far the requests of a case are, where one is not over and the vendor tells.

    Args:
        room: The home.
        journal: What `ask_vendors` kept; what is said now is kept there, too.

    Returns:
        The requests that vendors took, as far as they are known to be. One has a `problem` where
        the vendor did not answer, or its keys are not set any more.
    """
    return [_request(_followed(room, journal, record)) for record in _taken(journal)]


def _followed(room: Room, journal: Path, record: dict[str, Any]) -> dict[str, Any]:
    """A request with how far it is now; as it was, with the problem, where nobody says."""
    account = _Account(record["destination"], record["account"])
    deletion = next(
        one for one in DESTINATIONS[account.destination].deletions if one.covers == record["covers"]
    )
    if record.get("end") or deletion.follow is None or record["reply_id"] is None:
        return record
    try:
        settings = _settings(account, deletion)
    except UsageError as error:
        return record | {"problem": str(error)}
    if settings is None:
        keys = f"its keys in [{SECTION}.{account.destination}] are not set, or another account's"
        return record | {"problem": keys}
    with Http(deletion.url(settings), clock=room.clock) as http:
        reply = deletion.follow(settings, http, record["reply_id"])
    if not isinstance(reply, DeletionTaken):
        return record | {"problem": _in_words(reply)}
    followed = record | _told(reply, _at(room))
    if followed != record:
        _keep(journal, followed)
    return followed


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
    said = record if is_taken else {}
    return VendorRequest(
        destination=record["destination"],
        covers=record["covers"],
        request=record["request"],
        identifiers=tuple(record["identifiers"]),
        at=record["at"],
        state=said.get("state", ""),
        reply_id=said.get("reply_id"),
        end=said.get("end"),
        ended_at=said.get("ended_at"),
        problem=said.get("problem") if is_taken else record["outcome"],
    )


def _taken(journal: Path) -> list[dict[str, Any]]:
    """The requests that were taken, each as it was told last."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in _lines(journal):
        if one.get("outcome") == "taken":
            named = (one["destination"], one["account"], one["covers"], *one["identifiers"])
            found[*named, one["at"]] = one
    return list(found.values())


def _lines(journal: Path) -> Iterator[dict[str, Any]]:
    """What was kept; a last line that a kill cut off was of a request not yet made."""
    if not journal.exists():
        return
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
