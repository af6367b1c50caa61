"""The same history as Data Warehouse exports: parquet files of both generations of their schema.

Files and columns: https://docs.customer.io/integrations/data-out/data-warehouses/. Older files
come first and know no flags; rows are written again with a higher `seq_num`, as the vendor does
when they change. A column is made at once, with Arrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from fakes.world import extras, identifiers
from fakes.world.catalogue import ASSIGNED, MESSAGES, Message
from fakes.world.events import CUSTOMER, METRICS, Events
from fakes.world.settings import NEVER, Ints, WorldSettings, happens

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.world.deliveries import Deliveries
    from fakes.world.people import Town

WORKSPACE = 111528
_FIRST_SEQUENCE = 241_600_000_000_000_000
_OLD, _NEW = 4, 5
_OLD_SHARE = 0.3
"""Share of the history that was exported before flags were."""
_AGAIN_SHARE = 0.05
_TYPES = ("email", "sms", "push", "in-app")
_ACTIONS = ("email_action", "twilio_action", "push_action", "in_app_action")
"""Steps of workflows that send, as the vendor names them, in the order of the channels."""
_OLD_METRICS = (
    *("event_id", "workspace_id", "delivery_id", "metric", "created_at"),
    *("reason", "link_id", "link_url", "seq_num"),
)


@dataclass(frozen=True)
class Exported:
    """What was written: the files, and rows by kind of file, the ones written again included."""

    files: tuple[Path, ...]
    rows: dict[str, int]


def write(
    town: Town,
    deliveries: Deliveries,
    events: Events,
    journeys: Ints,
    folder: Path,
) -> Exported:
    """Write deliveries, metrics, people, attributes, journeys and names below `folder`.

    Args:
        town: everyone, with their identifiers.
        deliveries: the messages.
        events: what happened to them; events without a message are in no file.
        journeys: the second at which each journey began.
        folder: where the files go; made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.parquet"):
        stale.unlink()
    files = _Files(town.settings, folder)
    ids = identifiers.message_ids(town.settings, deliveries, journeys)
    files.add("deliveries", _deliveries(town, deliveries, ids), deliveries.at)
    _add_metrics(files, events, ids.delivery)
    files.add("delivery_content", _contents(town, deliveries, ids), deliveries.at)
    files.add("subjects", *_subjects(town, deliveries, ids, journeys))
    files.add("outputs", *_outputs(town.settings, deliveries, ids))
    files.add("people", *_people(town))
    files.add("attributes", *_attributes(town))
    for kind in ("campaign", "broadcast"):
        files.add(f"{kind}s", *_names(town.settings, kind))
    return Exported(tuple(files.written), files.rows)


class _Files:
    """Numbers and writes the files of a workspace."""

    def __init__(self, settings: WorldSettings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.written: list[Path] = []
        self.rows: dict[str, int] = {}
        self.rng = settings.stream("exports")

    def add(self, kind: str, table: pa.Table, at: Ints, old: tuple[str, ...] = ()) -> None:
        """Write a table as an older and a newer file, and some of its rows a second time.

        Args:
            kind: the kind of file.
            table: all rows, each once.
            at: the second of each row, which decides the file it is in.
            old: the columns of the older file; all if none are named.
        """
        change = self.settings.start + (self.settings.end - self.settings.start) * _OLD_SHARE
        is_old = at < change
        again = happens(self.rng.random(len(at)), _AGAIN_SHARE)
        older = table.filter(pa.array(is_old))
        self._write(kind, _OLD, older.select(old or table.column_names), 1)
        self._write(kind, _NEW, table.filter(pa.array(~is_old)), 2)
        self._write(kind, _NEW, table.filter(pa.array(again)), 3)
        self.rows[kind] = table.num_rows + int(again.sum())

    def _write(self, kind: str, version: int, table: pa.Table, turn: int) -> None:
        if "seq_num" in table.column_names:
            place = table.column_names.index("seq_num")
            numbers = pc.add(table.column("seq_num"), turn * 10_000_000)
            table = table.set_column(place, "seq_num", numbers)
        sequence = _FIRST_SEQUENCE + len(self.written)
        path = self.folder / f"{kind}_v{version}_{WORKSPACE}_{sequence}.parquet"
        parquet.write_table(table, path)
        self.written.append(path)


def instants(seconds: Ints) -> pa.Array:
    """Unix seconds as instants in UTC; none where the clock never strikes."""
    known = pa.array(seconds.astype("datetime64[s]").astype("datetime64[us]"))
    return pc.if_else(pa.array(seconds < NEVER), known, None)


def _workspace(count: int) -> pa.Array:
    return pa.array(np.full(count, WORKSPACE))


def _numbers(count: int) -> pa.Array:
    return pa.array(np.arange(1, count + 1))


def _of_message(name: str, message: Ints) -> pa.Array:
    values = pa.array([getattr(each, name) for each in MESSAGES], pa.int64())
    return values.take(pa.array(message))


def _named(town: Town, profile: Ints) -> pa.Array:
    """Who each row is about; nobody where the person is deleted by the end."""
    gone = town.people.deleted_at[town.profiles.person[profile]] < town.settings.end
    return pc.if_else(pa.array(gone), None, town.profiles.cio_id.take(pa.array(profile)))


def _deliveries(town: Town, deliveries: Deliveries, ids: identifiers.MessageIds) -> pa.Table:
    message, count = deliveries.message, deliveries.count
    walks = np.array([each.has_journey for each in MESSAGES])[message]
    parents = {
        name: _of_message(name, message)
        for name in ("campaign_id", "action_id", "newsletter_id", "content_id", "trigger_id")
    }
    return pa.table(
        {
            "workspace_id": _workspace(count),
            "delivery_id": ids.delivery,
            "internal_customer_id": _named(town, deliveries.profile),
            "subject_id": pc.if_else(pa.array(walks), ids.journey, None),
            "delivery_type": pa.array(_TYPES).take(pa.array(deliveries.channel)),
            **parents,
            "transactional_message_id": _of_message("transactional_message_id", message),
            "created_at": instants(deliveries.at),
            "seq_num": _numbers(count),
        }
    )


def _add_metrics(files: _Files, events: Events, delivery_ids: pa.Array) -> None:
    rows = np.flatnonzero((events.delivery >= 0) & (events.object != CUSTOMER))
    said = extras.parts()
    code = pa.array(events.extra[rows])
    milliseconds = events.at[rows] * 1000 + events.metric[rows] * 50
    table = pa.table(
        {
            "event_id": identifiers.ulids(milliseconds, files.rng),
            "workspace_id": _workspace(len(rows)),
            "delivery_id": delivery_ids.take(pa.array(events.delivery[rows])),
            "metric": pa.array(METRICS).take(pa.array(events.metric[rows])),
            "created_at": instants(events.at[rows]),
            "reason": said.column("reason").take(code),
            "link_id": said.column("link_id").take(code),
            "link_url": said.column("link_url").take(code),
            "seq_num": _numbers(len(rows)),
            "proxied": said.column("proxied").take(code),
            "prefetched": said.column("prefetched").take(code),
            "machine": said.column("machine").take(code),
        }
    )
    files.add("metrics", table, events.at[rows], _OLD_METRICS)


def _subjects(
    town: Town, deliveries: Deliveries, ids: identifiers.MessageIds, journeys: Ints
) -> tuple[pa.Table, Ints]:
    entries, first = np.unique(deliveries.entry, return_index=True)
    at = journeys[entries]
    walks = np.array([each.has_journey for each in MESSAGES])[deliveries.message[first]]
    first, at = first[walks], at[walks]
    profile = deliveries.profile[first]
    table = pa.table(
        {
            "workspace_id": _workspace(len(first)),
            "subject_name": ids.journey.take(pa.array(first)),
            "internal_customer_id": _named(town, profile),
            "campaign_type": pa.array(["event"]).take(pa.array(np.zeros(len(first), np.int64))),
            "campaign_id": _of_message("campaign_id", deliveries.message[first]),
            "started_campaign_at": instants(at),
            "created_at": instants(at),
            "seq_num": _numbers(len(first)),
        }
    )
    return table, at


def _contents(town: Town, deliveries: Deliveries, ids: identifiers.MessageIds) -> pa.Table:
    """What was sent to whom: the only file with the recipient and the subject."""
    message, count = deliveries.message, deliveries.count
    code = pa.array(message)
    profile = pa.array(deliveries.profile)
    profiles = town.profiles
    is_text = pa.array(np.isin(deliveries.channel, (_TYPES.index("sms"), _TYPES.index("push"))))
    recipient = pc.if_else(is_text, profiles.phone.take(profile), profiles.email.take(profile))
    is_gone = town.people.deleted_at[deliveries.person] < town.settings.end
    subject = pa.array([each.subject or None for each in MESSAGES])
    sender = pa.array(["Shop <hello@shop.example.com>", None, None, None])
    return pa.table(
        {
            "workspace_id": _workspace(count),
            "delivery_id": ids.delivery,
            **{
                name: _of_message(name, message)
                for name in ("campaign_id", "action_id", "newsletter_id", "content_id")
            },
            "type": pa.array(_TYPES).take(pa.array(deliveries.channel)),
            "from": sender.take(pa.array(deliveries.channel)),
            "recipient": pc.if_else(pa.array(is_gone), None, recipient),
            "subject": subject.take(code),
            "body_plain": pa.array([f"{each.name}: {each.links[0]}" for each in MESSAGES]).take(
                code
            ),
        }
    )


def _outputs(
    settings: WorldSettings, deliveries: Deliveries, ids: identifiers.MessageIds
) -> tuple[pa.Table, Ints]:
    """What journeys came to: the message of each step, and the path that each split chose."""
    rng = settings.stream("export outputs")
    walks = np.array([each.has_journey for each in MESSAGES])[deliveries.message]
    parents = np.array([each.parent_action_id or 0 for each in MESSAGES])[deliveries.message]
    steps, splits = np.flatnonzero(walks), np.flatnonzero(walks & (parents > 0))
    # a journey that sends twice below a split was split once
    _, first = np.unique(
        np.stack([deliveries.entry[splits], parents[splits]]), axis=1, return_index=True
    )
    splits = splits[first]
    row = np.concatenate([splits, steps])
    is_split = np.arange(len(row)) < len(splits)
    paths = np.array([_path(each) for each in MESSAGES])
    at = deliveries.at[row] - is_split
    message = deliveries.message[row]
    sent = pa.array(~is_split)
    table = pa.table(
        {
            "workspace_id": _workspace(len(row)),
            "output_id": identifiers.ulids(at * 1000, rng),
            "subject_name": ids.journey.take(pa.array(row)),
            "output_type": pc.if_else(
                sent,
                pa.array(_ACTIONS).take(pa.array(deliveries.channel[row])),
                "split_randomized_action",
            ),
            "action_id": pc.if_else(
                sent, _of_message("action_id", message), pa.array(parents[row])
            ),
            "delivery_id": pc.if_else(sent, ids.delivery.take(pa.array(row)), None),
            "draft": pa.array(np.zeros(len(row), dtype=bool)),
            "link_tracked": sent,
            "split_test_index": pc.if_else(sent, None, pa.array(paths[message])),
            "branch_index": pa.nulls(len(row), pa.int64()),
            "created_at": instants(at),
            "seq_num": _numbers(len(row)),
        }
    )
    return table, at


def _path(message: Message) -> int:
    """The path of its split that leads to a message; what follows up is on the first one."""
    marks = {arm.message for experiment in ASSIGNED for arm in experiment.arms}
    paths = [
        each
        for each in MESSAGES
        if each.name in marks and each.parent_action_id == message.parent_action_id
    ]
    return paths.index(message) if message in paths else 0


def _people(town: Town) -> tuple[pa.Table, Ints]:
    people, profiles, end = town.people, town.profiles, town.settings.end
    person = profiles.person
    rows = np.flatnonzero(people.created_at[person] < end)
    person = person[rows]
    created = people.created_at[person]
    is_deleted = people.deleted_at[person] < end
    # the vendor writes the start of 1970 where it does not know
    known = np.where(rows % 50 == 0, 0, created)
    table = pa.table(
        {
            "workspace_id": _workspace(len(rows)),
            "customer_id": profiles.customer_id.take(pa.array(rows)),
            "internal_customer_id": profiles.cio_id.take(pa.array(rows)),
            "deleted": pa.array(is_deleted),
            "suppressed": pa.array(np.zeros(len(rows), dtype=bool)),
            "created_at": instants(known),
            "updated_at": instants(np.where(is_deleted, people.deleted_at[person], created)),
            "email_addr": profiles.email.take(pa.array(rows)),
        }
    )
    return table.filter(pa.array(~is_deleted)), created[~is_deleted]


def _attributes(town: Town) -> tuple[pa.Table, Ints]:
    people, profiles, end = town.people, town.profiles, town.settings.end
    person = profiles.person
    is_there = (people.created_at[person] < end) & (people.deleted_at[person] == NEVER)
    rows = np.flatnonzero(is_there)
    at = people.created_at[person[rows]]
    table = pa.table(
        {
            "workspace_id": _workspace(2 * len(rows)),
            "internal_customer_id": pa.concat_arrays([profiles.cio_id.take(pa.array(rows))] * 2),
            "attribute_name": pa.array(["email"] * len(rows) + ["country"] * len(rows)),
            "attribute_value": pa.concat_arrays(
                [
                    profiles.email.take(pa.array(rows)),
                    profiles.country.take(pa.array(rows)),
                ]
            ),
            "timestamp": instants(np.concatenate([at, at])),
        }
    )
    return table, np.concatenate([at, at])


def _names(settings: WorldSettings, kind: str) -> tuple[pa.Table, Ints]:
    first = {
        getattr(each, f"{kind}_id"): each.name
        for each in reversed(MESSAGES)
        if getattr(each, f"{kind}_id") is not None
    }
    at = np.full(len(first), settings.start)
    table = pa.table(
        {
            "workspace_id": _workspace(len(first)),
            f"{kind}_id": pa.array(list(first), pa.int64()),
            "name": pa.array(list(first.values())),
            "created_at": instants(at),
            "updated_at": instants(at),
            "topic_names": pa.array([["News"]] * len(first), pa.list_(pa.string())),
        }
    )
    return table, at
