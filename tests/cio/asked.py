"""The questions of the marts, asked of a published build as a reader would ask them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from cio.reference import questions
from warehouse.connection import read_published

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.home import Home


class Answer(NamedTuple):
    """How many rows a question is answered with, and whether its table has any: 1 or 0."""

    table: str
    question: str
    rows: int
    of: int


def ask(home: Home, manifest_file: Path) -> list[Answer]:
    """Ask every mart its questions, in its own schema."""
    nodes = json.loads(manifest_file.read_text(encoding="utf-8"))["nodes"].values()
    asked = [
        one
        for node in nodes
        if node["original_file_path"].startswith("models/marts/")
        for one in questions(node)
    ]
    assert asked
    with read_published(home) as published:
        connection = published.connection
        connection.execute(f"use {published.schema('marts')}")
        return [
            Answer(
                one.table,
                one.text,
                rows=len(connection.execute(one.sql).fetchall()),
                of=len(connection.execute(f"from {one.table} limit 1").fetchall()),
            )
            for one in asked
        ]
