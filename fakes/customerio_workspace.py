"""Workspaces for the stand-in of the App API, made from lists of what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from fakes import customerio_app
from fakes.customerio_app import Workspace
from fakes.world.catalogue import MESSAGES
from fakes.world.people import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from fakes.control import Control
    from fakes.world.catalogue import Message
    from fakes.world.settings import WorldSettings

Json = dict[str, Any]

CREATED = 1_767_225_600
"""2026-01-01, when everything in a made workspace was created."""


class Identifiers(TypedDict):
    """What the vendor knows a person by."""

    cio_id: str
    id: str | None
    email: str | None


def make_workspace(
    messages: Sequence[Message] = MESSAGES,
    *,
    people: Sequence[Identifiers] = (),
    segments: Mapping[str, Sequence[Identifiers]] | None = None,
    deliveries: Sequence[Json] = (),
) -> Workspace:
    """A workspace that sends these messages to these people.

    Args:
        messages: What is sent; campaigns, broadcasts, newsletters and transactional messages are
            made from their ids, under the name of their first message.
        people: Everybody.
        segments: Who is in each segment, by the segment's name; they are numbered from 1.
        deliveries: Messages to a person, as the vendor lists them.

    Returns:
        The workspace, in the vendor's own shapes.
    """
    flows = _grouped(messages, "campaign_id")
    broadcasts = _grouped(messages, "broadcast_id")
    newsletters = _grouped(messages, "newsletter_id")
    named = list(enumerate((segments or {}).items(), start=1))
    return Workspace(
        campaigns=[_workflow(key, group, "behavioral") for key, group in flows.items()],
        campaign_actions={str(key): _actions(group) for key, group in flows.items()},
        broadcasts=[
            _workflow(key, group, "triggered_broadcast") for key, group in broadcasts.items()
        ],
        broadcast_actions={str(key): _actions(group) for key, group in broadcasts.items()},
        newsletters=[
            {
                **_named(key, group[0]),
                "type": group[0].channel,
                "content_ids": [message.content_id for message in group],
                "sent_at": CREATED,
            }
            for key, group in newsletters.items()
        ],
        contents={
            str(key): [
                {**_named(message.content_id, message), "type": message.channel}
                for message in group
            ]
            for key, group in newsletters.items()
        },
        transactional=[
            {"id": key, "name": group[0].name, "created_at": CREATED, "updated_at": CREATED}
            for key, group in _grouped(messages, "transactional_message_id").items()
        ],
        segments=[
            {"id": number, "name": name, "type": "dynamic", "state": "finished"}
            for number, (name, _) in named
        ],
        members={str(number): [dict(each) for each in members] for number, (_, members) in named},
        people=[
            {"id": each["id"], "identifiers": dict(each), "attributes": {}, "unsubscribed": False}
            for each in people
        ],
        messages=list(deliveries),
    )


def settle_workspace(settings: WorldSettings) -> Workspace:
    """A workspace with everybody who ever had a profile in a world, and nothing else.

    Args:
        settings: What the world was made from.
    """
    profiles = settle(settings).profiles
    columns = (profiles.cio_id, profiles.customer_id, profiles.email)
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    people = [Identifiers(cio_id=cio_id, id=name, email=email) for cio_id, name, email in rows]
    return make_workspace([], people=people)


def _grouped(messages: Iterable[Message], key: str) -> dict[int, list[Message]]:
    groups: dict[int, list[Message]] = {}
    for message in messages:
        found = getattr(message, key)
        if found is not None:
            groups.setdefault(found, []).append(message)
    return groups


def _named(key: int | None, message: Message) -> Json:
    return {"id": key, "name": message.name, "created": CREATED, "updated": CREATED}


def _workflow(key: int, messages: Sequence[Message], kind: str) -> Json:
    return {
        **_named(key, messages[0]),
        "type": kind,
        "state": "running",
        "active": True,
        "tags": [messages[0].intent],
        "actions": [{"id": message.action_id, "type": message.channel} for message in messages],
    }


def _actions(messages: Sequence[Message]) -> list[Json]:
    # an action's id is a text where it is listed by itself, and a number in its campaign
    return [
        {
            **_named(message.action_id, message),
            "id": str(message.action_id),
            "type": message.channel,
            "subject": message.subject,
            "parent_action_id": message.parent_action_id,
        }
        for message in messages
    ]


def create_app(*, store: Path | None = None) -> Control:
    """The stand-in with what a file holds; without one, the catalogue's messages and two people.

    Args:
        store: A JSON file with the fields of a `Workspace`.

    Returns:
        The app.
    """
    if store is not None and store.exists():
        return customerio_app.create_app(store=store)
    people = [
        Identifiers(cio_id=f"0300{name}", id=name, email=f"{name}@example.com")
        for name in ("ana", "ben")
    ]
    segments = {"Everybody": people, "Nobody": []}
    return customerio_app.create_app(make_workspace(people=people, segments=segments))
