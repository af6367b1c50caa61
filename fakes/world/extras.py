"""The parts of a webhook's `data` that belong to a metric, as ready pieces of JSON.

The vendor leaves out what it does not have, so an absent key is an absent piece.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from fakes.world.catalogue import MESSAGES

if TYPE_CHECKING:
    from fakes.world.settings import Flags, Ints

NOTHING = 0
_OPENED = 1
_UNKNOWN_OPEN = 9
_FAILURES = (
    "550 5.1.1 The email account that you tried to reach does not exist.",
    "The message was suppressed because the person's address bounced or complained before",
    "Message limit reached for this person",
    "30003: Unreachable destination handset",
    "NoDevicesSynced",
    "Template rendering failed: Liquid error",
)
_FAILED = 10
_PREFERENCES = _FAILED + len(_FAILURES)
_CLICKED = _PREFERENCES + 1
MACHINE, HUMAN, UNFLAGGED = 0, 1, 2

BAD_ADDRESS, SUPPRESSED, OVER_LIMIT, UNREACHABLE, NO_DEVICES, NOT_RENDERED = range(
    _FAILED, _FAILED + len(_FAILURES)
)
PREFERENCES = _PREFERENCES


def opened(*, proxied: Flags, prefetched: Flags, synthetic: Flags) -> Ints:
    """The piece of an open with its three flags."""
    return _OPENED + 4 * proxied.astype(np.int64) + 2 * prefetched + synthetic


def opened_without_flags(count: int) -> Ints:
    """The piece of an open from before the vendor sent flags."""
    return np.full(count, _UNKNOWN_OPEN)


def clicked(message: Ints, link: Ints, by: Ints) -> Ints:
    """The piece of a click: which of a message's links, and by whom."""
    return _CLICKED + (message * 2 + link) * 3 + by


def is_by_machine(extra: Ints) -> Flags:
    """Whether the piece of a click says that a machine made it."""
    is_machine: Flags = (extra - _CLICKED) % 3 == MACHINE
    return is_machine


def pieces() -> pa.Array:
    """Every piece, at the place its code says."""
    flags = ("false", "true")
    parts = [""]
    parts += [
        f',"proxied":{flags[code >> 2 & 1]},"prefetched":{flags[code >> 1 & 1]},'
        f'"synthetic":{flags[code & 1]}'
        for code in range(8)
    ]
    parts.append("")
    parts += [f',"failure_message":{json.dumps(text)}' for text in _FAILURES]
    content = json.dumps({"topics": {"topic_1": False, "topic_2": True}})
    parts.append(f',"content":{json.dumps(content)}')
    for code, message in enumerate(MESSAGES):
        for place, href in enumerate(message.links):
            link = f',"href":{json.dumps(href)},"link_id":{code * 10 + place + 1}'
            if message.channel == "in_app":
                link = f',"tracked_response":"button_{place + 1}"{link}'
            parts += [f'{link},"machine":true', f'{link},"machine":false', link]
    return pa.array(parts)


def parts() -> pa.Table:
    """What each piece says, in columns, at the place its code says.

    Returns:
        `proxied`, `prefetched` and `machine`, `reason`, `link_id` and `link_url`; null where the
        piece leaves it out.
    """
    said = [json.loads("{" + piece[1:] + "}") for piece in pieces().to_pylist()]
    named = {
        "proxied": pa.bool_(),
        "prefetched": pa.bool_(),
        "machine": pa.bool_(),
        "failure_message": pa.string(),
        "link_id": pa.int64(),
        "href": pa.string(),
    }
    table = pa.table(
        {name: pa.array([each.get(name) for each in said], kind) for name, kind in named.items()}
    )
    return table.rename_columns({"failure_message": "reason", "href": "link_url"})
