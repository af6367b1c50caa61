"""Erasing one person everywhere, with proof; killed anywhere and run again, it goes on.

A case is a folder of `erasures/` in the home. While it is open it knows the identifiers, for it has
to find them; once all is done only their hashes are left, and the proof.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
from filelock import FileLock

from cio.erase_files import erase_journals, erase_spool
from cio.erase_proof import read_record, write_proof, write_record
from cio.erase_rows import Person, count_rows, erase_rows, found_links, rewrite
from reverse_etl.contract import KEPT
from reverse_etl.deletion import VendorRequest, ask_vendors
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.erase import Removal, remove_person
from reverse_etl.profile_keys import KINDS
from warehouse.connection import open_warehouse, read_published
from warehouse.erased import put_up, read_tombstones, salted
from warehouse.errors import CioError, UsageError
from warehouse.publish import known_people_file, publish_whole_next, published_files
from warehouse.stop_list import append_hashes, digest, stop_list_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reverse_etl.run import Room
    from warehouse.home import Home

_FIND = """
select person_id, identifier, is_shared from {table}
where person_id in (
    select person_id from {table}
    where person_id = $given or lower(trim(identifier)) = lower(trim($given))
)
"""
DELETION = {
    "amplitude": "https://amplitude.com/docs/apis/analytics/user-privacy",
    "customerio": "https://docs.customer.io/accounts-and-workspaces/gdpr/",
    "klaviyo": "https://developers.klaviyo.com/en/reference/data_privacy_api_overview",
    "mixpanel": "https://docs.mixpanel.com/docs/privacy/end-user-data-management",
    "segment": "https://segment.com/docs/privacy/user-deletion-and-suppression/",
}
"""Where a vendor says how events and profiles are deleted that no list removal reaches."""


@dataclass(frozen=True)
class Erasure:
    """What an erasure came to.

    Attributes:
        case: Its name, made of the identifier's hash.
        at: When, naive UTC.
        is_complete: Whether nothing is left that we can remove.
        tombstones: Salted hashes of what they were known by, as the stop list has them.
        rows: Rows deleted (of receipts: put under a hash) by table.
        published: The same in published builds.
        events: Lines taken out of what the receiver keeps.
        journal_rows: Rows of journals put under a hash.
        removals: What destinations were told.
        requests: What vendors were asked to delete for good, and what they said.
        rows_left: Rows that still name them, counted afterwards: 0.
        shared: Identifiers that others have too, so that their rows are not theirs alone.
        left: What is still to be done, in words.
        proof: The file that says all this.
    """

    case: str
    at: datetime
    is_complete: bool
    tombstones: tuple[str, ...]
    rows: dict[str, int]
    published: int
    events: int
    journal_rows: int
    removals: tuple[Removal, ...]
    requests: tuple[VendorRequest, ...]
    rows_left: int
    shared: int
    left: tuple[str, ...]
    proof: str

    def to_json(self) -> dict[str, Any]:
        """The erasure as its proof has it."""
        return asdict(self) | {"at": self.at.isoformat(timespec="seconds")}


def erase(room: Room, identifier: str, *, on_step: Callable[[str], None]) -> Erasure:
    """Erase one person: stop list, destinations, warehouse, published builds, files.

    Args:
        room: The home and the manifest.
        identifier: A customer id, an e-mail address, a cio_id or a person_id.
        on_step: Told what is being done.

    Returns:
        What it came to; not complete if a destination did not take a removal.

    Raises:
        UsageError: Several people have the identifier.
        CioError: A file cannot be written; running it again goes on.
    """
    if not identifier.strip():
        message = "name somebody: a customer id, an e-mail address, a cio_id or a person_id"
        raise UsageError(message)
    home = room.home
    with FileLock(home.locks / "erase.lock"):
        name = salted(stop_list_path(home)).of(digest(identifier))[:16]
        case = home.root / "erasures" / name
        case.mkdir(mode=0o700, parents=True, exist_ok=True)
        person, shared = _person(home, case, identifier)
        write_record(
            case / "case.json", {"people": person.people, "names": person.names, "shared": shared}
        )
        on_step("the stop list: nobody sends to them or loads them from here on")
        tombstones = put_up(stop_list_path(home), (*person.names, *person.people))
        on_step("destinations")
        removals = tuple(remove_person(room, person.people, person.names))
        on_step("what vendors delete for good")
        requests = tuple(
            ask_vendors(room, case / "requests.ndjson", person.people, person.names, shared)
        )
        is_removed = not any(one.left for one in removals) and not any(r.problem for r in requests)
        if not is_removed:
            on_step("a destination did not take a removal: receipts stay until it does")
        on_step("the warehouse")
        publish_whole_next(home)
        rows, rows_left, links = _warehouse(home, person, has_receipts=is_removed)
        on_step("published builds")
        published = sum(_published(path, person) for path in published_files(home))
        on_step("what the receiver and the syncs keep")
        events, still_open = erase_spool(home, person)
        journal_rows = erase_journals(home, person) if is_removed else 0
        left = _left(removals, requests, still_open)
        found = Erasure(
            case=case.name,
            at=datetime.now(UTC).replace(tzinfo=None),
            is_complete=is_removed and not still_open and rows_left == 0,
            tombstones=(*tombstones, *links),
            rows=rows,
            published=published,
            events=events,
            journal_rows=journal_rows,
            removals=removals,
            requests=requests,
            rows_left=rows_left,
            shared=len(shared),
            left=left,
            proof=str(case / "proof.json"),
        )
        return _close(case, found)


def readmit(home: Home, identifier: str) -> int:
    """Let somebody in again who was erased, and came back.

    Args:
        home: The home.
        identifier: What they were erased under, or were also known by then.

    Returns:
        How many tombstones were lifted.

    Raises:
        UsageError: Nobody who is known by that was erased.
    """
    path = stop_list_path(home)
    with FileLock(home.locks / "erase.lock"):
        tombstones = read_tombstones(path)
        theirs = tombstones.of(digest(identifier))
        proofs = [
            read_record(proof) or {} for proof in (home.root / "erasures").glob("*/proof.json")
        ]
        cases = (one.get("tombstones", []) for one in proofs)
        known = {each for case in cases if theirs in case for each in case} | {theirs}
        lifted = append_hashes(
            path, "readmission", sorted(filter(tombstones.stands, known)), by="readmit"
        )
    if not lifted:
        message = f"nobody known as {identifier!r} was erased here, or they are in again"
        raise UsageError(message)
    return lifted


def _person(home: Home, case: Path, identifier: str) -> tuple[Person, list[str]]:
    """Whom, and which of their identifiers others have too.

    What an open case knows, and what the published build and the given text say.
    """
    found = read_record(case / "case.json") or {}
    people, names = list(found.get("people", [])), list(found.get("names", []))
    rows = _identifiers(home, identifier)
    if len({row[0] for row in rows}) > 1:
        ids = ", ".join(sorted({row[0] for row in rows}))
        message = f"{identifier!r} belongs to several people: {ids}. Give one of these."
        raise UsageError(message)
    people += [row[0] for row in rows]
    # who they were before a better identifier or a merge: what was observed of them then names that
    alone = [row[1].strip() for row in rows if not row[2]] if rows else [identifier.strip()]
    people += [_person_id(f"{kind}:{name}") for name in alone for kind in (*KINDS, "mpid")]
    names += [row[1].strip().lower() for row in rows if not row[2]]
    shared = {*found.get("shared", []), *(row[1].strip().lower() for row in rows if row[2])}
    if identifier.strip() not in people:
        names.append(identifier.strip().lower())
    plain = [name for name in dict.fromkeys(names) if ":" not in name]
    # as profile keys have them
    keys = [f"{kind}:{name}" for name in plain for kind in (*KINDS, "cio_id")]
    return Person(tuple(dict.fromkeys(people)), (*plain, *keys)), sorted(shared)


def _person_id(profile_key: str) -> str:
    """The person of a profile that nothing joins to another, as `int_profile_people` has it."""
    return hashlib.md5(profile_key.encode(), usedforsecurity=False).hexdigest()


def _identifiers(home: Home, identifier: str) -> list[tuple[str, str, bool]]:
    try:
        with read_published(home) as published:
            table = published.table("marts", "person_identifiers")
            query = _FIND.format(table=table)
            return published.connection.execute(query, {"given": identifier}).fetchall()
    except (CioError, duckdb.CatalogException):
        # nothing is published: what is loaded is erased all the same, by the text alone
        return []


def _warehouse(
    home: Home, person: Person, *, has_receipts: bool
) -> tuple[dict[str, int], int, tuple[str, ...]]:
    """Erase from the warehouse: rows by table, how many are left, and tombstones of links."""
    if not home.warehouse.exists():
        return {}, 0, ()
    with open_warehouse(home, purpose="erase a person") as warehouse:
        warehouse.execute("begin")
        rows = erase_rows(warehouse, person, has_receipts=has_receipts)
        # before the rows that tell of them are gone for good
        links = put_up(stop_list_path(home), found_links(warehouse))
        warehouse.execute("commit")
        left = count_rows(warehouse, person, has_receipts=has_receipts)
        warehouse.execute("checkpoint")
        # replaced while it is held: nobody else writes to it before the new one is there
        if rows:
            rewrite(warehouse, home.warehouse).replace(home.warehouse)
    return rows, left, links


def _published(path: Path, person: Person) -> int:
    """Erase from a published build: a copy is changed, and takes its place whole."""
    # made again of what is left, when a sync asks for it
    known_people_file(path).unlink(missing_ok=True)
    copy = path.with_name(f".erasing-{path.name}")
    copy.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{_literal(path)}' as warehouse (read_only)")
        connection.execute("use warehouse")
        is_there = bool(count_rows(connection, person, has_receipts=True))
        # a file that started as the one before it may keep bytes of rows that are no longer in it
        fresh = rewrite(connection, copy if is_there else path)
    if not is_there:
        fresh.replace(path)
        return 0
    with duckdb.connect(fresh) as connection:
        rows = erase_rows(connection, person, has_receipts=True)
        last = rewrite(connection, path)
    fresh.unlink()
    last.replace(path)
    return sum(rows.values())


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")


def _left(
    removals: tuple[Removal, ...], requests: tuple[VendorRequest, ...], still_open: list[str]
) -> tuple[str, ...]:
    words = [f"{one.sync}: {one.problem}" for one in removals if one.left]
    words += [f"{one.destination}: {one.request}: {one.problem}" for one in requests if one.problem]
    asked = {one.destination for one in requests if one.covers == "everything"}
    others = [one for one in removals if one.mode not in KEPT]
    for destination in sorted({one.destination for one in others} - asked):
        sent = sum(one.sent for one in others if one.destination == destination)
        where = DELETION.get(destination, "its own deletion")
        words.append(
            f"{destination} was sent {sent:,} events or profiles: ask it to delete them ({where})"
            + _keys_for(destination)
        )
    if still_open:
        words.append("the receiver is writing a file: run this again in a minute")
    return tuple(words)


def _keys_for(destination: str) -> str:
    """With which keys the vendor is asked by us, the next time."""
    known = DESTINATIONS.get(destination)
    for deletion in () if known is None else known.deletions:
        if deletion.covers == "everything":
            keys = " and ".join(deletion.missing(known.settings())) if known else ""
            return f"; with {keys} of [reverse_etl.{destination}] set, `cio erase` asks by itself"
    return ""


def _close(case: Path, found: Erasure) -> Erasure:
    before = read_record(case / "proof.json") or {}
    rows = dict(before.get("rows", {}))
    for table, count in found.rows.items():
        rows[table] = rows.get(table, 0) + count
    body = found.to_json() | {
        "tombstones": [*dict.fromkeys([*before.get("tombstones", []), *found.tombstones])],
        "rows": rows,
        "published": found.published + int(before.get("published", 0)),
        "events": found.events + int(before.get("events", 0)),
        "journal_rows": found.journal_rows + int(before.get("journal_rows", 0)),
        "removals": [
            *[one for one in before.get("removals", []) if one.get("removed")],
            *[asdict(one) for one in found.removals],
        ],
    }
    write_proof(case / "proof.json", body)
    if found.is_complete:
        (case / "case.json").unlink(missing_ok=True)
    return found
