"""What the App API answers, and what its refusals say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Answer:
    """A JSON object the API answered with, and the bytes it came in."""

    document: Mapping[str, Any]
    body: bytes

    @property
    def next(self) -> str:
        """The token of the next page; empty after the last, also where it was null or missing."""
        token = self.document.get("next")
        return "" if token is None else str(token)

    def items(self, name: str) -> list[dict[str, Any]]:
        """The objects under a name; null means none."""
        found = self.document.get(name)
        listed = found if isinstance(found, list) else []
        return [item for item in listed if isinstance(item, dict)]


def explain(body: bytes) -> str:
    """What a refusal says, in any of the API's envelopes; empty if it says nothing.

    They are `{"errors": [{"detail", "status"}]}`, the same with `source.pointer` into what was
    sent, and `{"meta": {"error"}}` or `{"meta": {"errors": […]}}`.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(document, dict):
        return ""
    meta = document.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    found = [*_listed(document.get("errors")), *_listed(meta.get("errors")), meta.get("error")]
    return "; ".join(text for text in map(_detail, found) if text)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _detail(error: object) -> str:
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return ""
    detail = str(error.get("detail") or "")
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    return f"{detail} (at {pointer})" if pointer else detail


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, or nothing if there is none that can be read."""
    try:
        seconds = float(value) if value is not None else None
    except ValueError:
        return None
    if seconds is None or not 0 <= seconds < float("inf"):
        return None
    return seconds
