"""What somebody refused in Customer.io's subscription center.

Preferences are an object of `topics` and `channels`, each with true or false by name, or a text
that holds one (https://docs.customer.io/journeys/set-preferences-outside-center). Who refuses a
channel opted out, as by an unsubscribe in a message of it; who refuses a topic, of the topic alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

ATTRIBUTE = "cio_subscription_preferences"
CHANGED = "cio_subscription_preferences_changed"
"""The metric of the webhook; what was chosen is in its `content`, where Body Content is on."""


class Refused(NamedTuple):
    """What is refused: whether a whole channel is, and the topics, in the alphabet's order."""

    is_channel: bool
    topics: tuple[str, ...]


def refused(preferences: object) -> Refused:
    """What preferences refuse; nothing if they cannot be read."""
    found = _mapping(preferences)
    channels, topics = (_refused(found.get(kind)) for kind in ("channels", "topics"))
    return Refused(bool(channels), topics)


def refused_in(document: str, keys: Sequence[str]) -> Refused:
    """The same of preferences that lie in a JSON object, under one key after the other."""
    found: object = document
    for key in keys:
        found = _mapping(found).get(key)
    return refused(found)


def _mapping(found: object) -> dict[str, Any]:
    if isinstance(found, str | bytes):
        try:
            found = orjson.loads(found)
        except orjson.JSONDecodeError:
            return {}
    return found if isinstance(found, dict) else {}


def _refused(choices: object) -> tuple[str, ...]:
    words = _mapping(choices).items()
    return tuple(sorted(n.strip().lower() for n, v in words if str(v).lower() in {"false", "0"}))
