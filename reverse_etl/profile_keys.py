"""Profile keys: an identifier with its kind before it, `id:42`, `email:a@b.c` or `cio:0300…`.

A vendor that knows people by several kinds of identifier needs to be told which one it gets.
"""

from __future__ import annotations

KINDS = ("id", "email", "cio")


def split(key: str) -> tuple[str, str] | None:
    """The kind and the identifier of a profile key; nothing if it is none."""
    kind, mark, identifier = key.partition(":")
    return (kind, identifier) if mark and identifier and kind in KINDS else None


def bare(key: str) -> str:
    """The identifier of a profile key; a text that is no profile key, as it is."""
    parts = split(key)
    return key if parts is None else parts[1]


def folded(kind: str, identifier: object) -> str:
    """An identifier of a kind as vendors compare it: addresses in small letters."""
    return str(identifier).lower() if kind == "email" else str(identifier)
