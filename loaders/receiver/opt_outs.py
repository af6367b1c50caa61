"""Opt-outs as they are received: on the stop list at once, before any load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from loaders.preferences import CHANGED, refused
from warehouse.stop_list import append

if TYPE_CHECKING:
    from pathlib import Path

OPT_OUT_METRICS = ("unsubscribed", "spammed", "suppressed")
"""What a person who wants no more messages did, or had done to them."""

_MARKS = tuple(f'"{metric}"'.encode() for metric in (*OPT_OUT_METRICS, CHANGED))


def stop_opted_out(path: Path, body: bytes) -> int:
    """Put the person of an opt-out on the stop list, or who left a channel or topics.

    Only a body that has one of the metrics somewhere in it is read; one that cannot be read is left
    to the load, as everything else about it.

    Args:
        path: The stop list.
        body: The body of one request, already on disk.

    Returns:
        How many identifiers were added.
    """
    if not any(mark in body for mark in _MARKS):
        return 0
    try:
        event = orjson.loads(body)
        metric, data = event["metric"], event["data"]
        if metric not in (*OPT_OUT_METRICS, CHANGED):
            return 0
        is_channel, topics = refused(data.get("content")) if metric == CHANGED else (True, ())
        known = {**data, **(data.get("identifiers") or {})}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return 0
    names = ("cio_id", "id", "customer_id", "email")
    identifiers = [str(known[name]) for name in names if known.get(name)]
    added = append(path, "opt_out", identifiers, by="receive") if is_channel else 0
    if topics:
        added += append(path, "opt_out", identifiers, by="receive", topics=topics)
    return added
