"""The vendor's reporting webhooks as JSON lines, in weekly files, with the faults of real feeds.

Shapes follow the vendor's reference, https://docs.customer.io/integrations/api/webhooks. Lines are
put together from ready pieces with Arrow, a file at a time, and the column's own buffer is what is
written: there is no row in Python.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fakes.world import extras, identifiers
from fakes.world.catalogue import CHANNELS, MESSAGES, Message
from fakes.world.events import METRICS, OBJECTS, Events
from fakes.world.settings import DAY, Ints, WorldSettings, happens

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.world.deliveries import Deliveries
    from fakes.world.people import Profiles, Town

_WEEK = 7 * DAY
_LATE_SHARE = 0.01
_REPEATED_SHARE = 0.01
_ZIPPED_FILES = 2
PLAIN, ODD_EMAIL, ID_ONLY, DELETED, DELETED_BARE = range(5)
_NO_RECIPIENT = 5
_QUIET_METRICS = ("attempted", "failed")


@dataclass(frozen=True)
class WrittenLines:
    """What was written: the files, and how many lines of each sort."""

    files: tuple[Path, ...]
    lines: int
    repeated: int
    late: int
    malformed: int


@dataclass(frozen=True)
class _Pieces:
    """The pieces of a line, each picked by a code."""

    heads: pa.Array
    identities: pa.Array
    deliveries: pa.Array
    recipients: pa.Array
    extras: pa.Array


def write(
    town: Town, deliveries: Deliveries, events: Events, journeys: Ints, folder: Path
) -> WrittenLines:
    """Write all events into weekly files below `folder`.

    Args:
        town: everyone, with their identifiers.
        deliveries: what the events belong to.
        events: what happened.
        journeys: the second at which each journey began.
        folder: where the files go; made if missing.
    """
    settings, profiles = town.settings, town.profiles
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("????-??-??.jsonl*"):
        stale.unlink()
    rng = settings.stream("lines")
    arrives_at = events.at.copy()
    is_late = happens(rng.random(events.count), _LATE_SHARE)
    arrives_at += is_late * (_WEEK + rng.integers(0, _WEEK, events.count))
    last = max((settings.end - settings.start - 1) // _WEEK, 0)
    week = np.clip((arrives_at - settings.start) // _WEEK, 0, last)
    was_due = np.clip((events.at - settings.start) // _WEEK, 0, last)
    milliseconds = events.at * 1000 + events.metric * 50 + rng.integers(0, 50, events.count)
    ids = identifiers.ulids(milliseconds, rng)
    again, again_week, again_at = _repeats(rng, week, arrives_at, last)
    rows = np.concatenate([np.arange(events.count), again])
    file = np.concatenate([week, again_week])
    order = np.lexsort((np.concatenate([milliseconds, again_at * 1000]), file))
    bounds = np.searchsorted(file[order], np.arange(last + 2))
    pieces = _pieces(town, deliveries, journeys)
    codes = _Codes(
        head=events.object * len(METRICS) + events.metric,
        identity=_identity_codes(rng, town, events),
        delivery=np.where(events.delivery < 0, deliveries.count, events.delivery),
        recipient=_recipient_codes(profiles.count, events),
        extra=events.extra,
    )
    files, malformed = [], 0
    for number in range(int(last) + 1):
        chosen = rows[order[bounds[number] : bounds[number + 1]]]
        text = _render(pieces, codes.take(chosen), ids.take(pa.array(chosen)), events.at[chosen])
        faults = _malformed(number)
        malformed += len(faults)
        files.append(_write_file(settings, folder, number, text, faults))
    return WrittenLines(
        files=tuple(files),
        lines=len(rows) + malformed,
        repeated=len(again),
        late=int((week > was_due).sum()),
        malformed=malformed,
    )


@dataclass(frozen=True)
class _Codes:
    """For each event, the place of each of its pieces."""

    head: Ints
    identity: Ints
    delivery: Ints
    recipient: Ints
    extra: Ints

    def take(self, rows: Ints) -> _Codes:
        return _Codes(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def _repeats(rng: np.random.Generator, week: Ints, at: Ints, last: int) -> tuple[Ints, Ints, Ints]:
    """Lines the vendor sends a second time: half right after, half in a later file."""
    again = np.flatnonzero(happens(rng.random(len(week)), _REPEATED_SHARE))
    is_elsewhere = happens(rng.random(len(again)), 0.5)
    return again, np.minimum(week[again] + is_elsewhere, last), at[again] + 60


def _pieces(town: Town, deliveries: Deliveries, journeys: Ints) -> _Pieces:
    heads = [
        f'","object_type":"{kind}","metric":"{metric}","timestamp":'
        for kind in OBJECTS
        for metric in METRICS
    ]
    return _Pieces(
        heads=pa.array(heads),
        identities=_identities(town.profiles),
        deliveries=_delivery_pieces(town.settings, deliveries, journeys),
        recipients=_recipients(town.profiles),
        extras=extras.pieces(),
    )


def _message_piece(message: Message) -> str:
    keys = (
        "campaign_id",
        "action_id",
        "parent_action_id",
        "broadcast_id",
        "trigger_id",
        "newsletter_id",
        "content_id",
        "transactional_message_id",
    )
    known = {key: getattr(message, key) for key in keys if getattr(message, key) is not None}
    if message.subject:
        known["subject"] = message.subject
    return "," + json.dumps(known, separators=(",", ":"))[1:-1]


def _delivery_pieces(settings: WorldSettings, deliveries: Deliveries, journeys: Ints) -> pa.Array:
    """The part of `data` that is the same for all events of a delivery; last, that of none."""
    ids = identifiers.message_ids(settings, deliveries, journeys)
    journey = pc.binary_join_element_wise(',"journey_id":"', ids.journey, '"', "")
    walks = np.array([message.has_journey for message in MESSAGES])[deliveries.message]
    own = pa.array([_message_piece(message) for message in MESSAGES])
    pieces = pc.binary_join_element_wise(
        ',"delivery_id":"',
        ids.delivery,
        '"',
        own.take(pa.array(deliveries.message)),
        pc.if_else(pa.array(walks), journey, ""),
        "",
    )
    return pa.concat_arrays([pieces, pa.array([""])])


def _identities(profiles: Profiles) -> pa.Array:
    """Identifiers of each profile in each of the ways in which the vendor gives them."""
    quoted = pc.binary_join_element_wise('"', profiles.customer_id, '"', "")
    number = pc.fill_null(quoted, "null")
    deprecated = pc.fill_null(pc.binary_join_element_wise('"customer_id":', quoted, ",", ""), "")

    def complete(email: pa.Array) -> pa.Array:
        return pc.binary_join_element_wise(
            deprecated,
            '"identifiers":{"id":',
            number,
            ',"email":"',
            email,
            '","cio_id":"',
            profiles.cio_id,
            '"}',
            "",
        )

    plain = complete(profiles.email)
    alone = pc.binary_join_element_wise('"identifiers":{"id":', quoted, "}", "")
    nobody = '"customer_id":"","identifiers":{"id":null,"email":null,"cio_id":null}'
    bare = '"customer_id":"","identifiers":null'
    return pa.concat_arrays(
        [
            plain,
            complete(profiles.odd_email),
            pc.coalesce(alone, plain),
            pa.array([nobody, bare]),
        ]
    )


def _recipients(profiles: Profiles) -> pa.Array:
    """Where a message goes, a block of all profiles for each channel; last, nowhere."""
    email = pc.binary_join_element_wise(',"recipient":"', profiles.email, '"', "")
    phone = pc.binary_join_element_wise(',"recipient":"', pc.fill_null(profiles.phone, ""), '"', "")
    platform = pa.array(["android", "ios"]).take(pa.array(profiles.person % 2))
    device = pc.binary_join_element_wise(
        ',"recipients":[{"device_id":"device-',
        profiles.cio_id,
        '","device_platform":"',
        platform,
        '"}]',
        "",
    )
    inbox = pc.binary_join_element_wise(
        ',"recipient":"', pc.coalesce(profiles.customer_id, profiles.email), '"', ""
    )
    address = pc.binary_join_element_wise(',"email_address":"', profiles.email, '"', "")
    return pa.concat_arrays([email, phone, device, inbox, address, pa.array([""])])


def _recipient_codes(profiles: int, events: Events) -> Ints:
    """Each event's place in `_recipients`. An object type's number is its block."""
    quiet = [METRICS.index(metric) for metric in _QUIET_METRICS]
    codes = events.object * profiles + events.profile
    nowhere = (len(CHANNELS) + 1) * profiles
    return np.where(np.isin(events.metric, quiet), nowhere, codes)


def _identity_codes(rng: np.random.Generator, town: Town, events: Events) -> Ints:
    """Each event's place in `_identities`: mostly plain, some odd, some of deleted people."""
    profiles = town.profiles
    person = profiles.person[events.profile]
    luck = rng.random(events.count)
    way = np.select([happens(luck, 0.02), happens(luck, 0.025)], [ODD_EMAIL, ID_ONLY], PLAIN)
    codes = way * profiles.count + events.profile
    is_deleted = events.at >= town.people.deleted_at[person]
    nobody = 3 * profiles.count + happens(rng.random(events.count), 0.2)
    return np.where(is_deleted, nobody, codes)


def _render(pieces: _Pieces, codes: _Codes, ids: pa.Array, at: Ints) -> pa.Array:
    """The chosen events as lines, each with its line feed."""
    return pc.binary_join_element_wise(
        '{"event_id":"',
        ids,
        pieces.heads.take(pa.array(codes.head)),
        pc.cast(pa.array(at), pa.string()),
        ',"data":{',
        pieces.identities.take(pa.array(codes.identity)),
        pieces.deliveries.take(pa.array(codes.delivery)),
        pieces.recipients.take(pa.array(codes.recipient)),
        pieces.extras.take(pa.array(codes.extra)),
        "}}\n",
        "",
    )


def _malformed(week: int) -> tuple[bytes, ...]:
    """Lines that a loader has to quarantine, a few in some files."""
    cut = b'{"event_id":"01J0000000000000000000000' + str(week % 10).encode() + b'","object_ty'
    words = b"upstream connect error or disconnect/reset before headers"
    legacy = (
        b'{"event_type":"email_opened","event_id":"legacy-'
        + str(week).encode()
        + b'","timestamp":1546300800,"data":{"customer_id":"C0000001","email_id":"5",'
        b'"variables":{"campaign":{"id":"1","name":"Old"}}}}'
    )
    no_metric = (
        b'{"event_id":"01J0000000000000000000001'
        + str(week % 10).encode()
        + b'","object_type":"email","timestamp":1780000000,"data":{"identifiers":{"id":"1"}}}'
    )
    batch = b'[{"event_id":"01J00000000000000000000020"}]'
    by_week = {0: (cut, words), 2: (legacy,), 3: (no_metric, batch), 5: (cut, legacy)}
    return by_week.get(week, ())


def _write_file(
    settings: WorldSettings, folder: Path, number: int, text: pa.Array, faults: tuple[bytes, ...]
) -> Path:
    """Write one week's lines, the faulty ones in their middle. The oldest weeks are zipped."""
    first_day = datetime.fromtimestamp(settings.start + number * _WEEK, UTC)
    middle = len(text) // 2
    parts = (
        _bytes(text[:middle]),
        b"".join(line + b"\n" for line in faults),
        _bytes(text[middle:]),
    )
    path = folder / f"{first_day:%Y-%m-%d}.jsonl"
    if number < _ZIPPED_FILES:
        path = path.with_name(f"{path.name}.gz")
        # no name and no time in the header, so that the same world has the same bytes
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as zipped:
            for part in parts:
                zipped.write(part)
        return path
    with path.open("wb") as plain:
        for part in parts:
            plain.write(part)
    return path


def _bytes(text: pa.Array) -> memoryview | bytes:
    """The characters of a text column, one value after the other, without a copy."""
    if len(text) == 0:
        return b""
    _, offsets, data = text.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)
    begin, end = bounds[text.offset], bounds[text.offset + len(text)]
    return memoryview(data)[int(begin) : int(end)]
