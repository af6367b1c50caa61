"""The questions of the marts, asked of a published build as a reader would ask them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cio.reference import questions
from warehouse.connection import read_published

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.home import Home


def ask(home: Home, manifest_file: Path) -> dict[str, int]:
    """How many rows each question of each mart is answered with."""
    nodes = json.loads(manifest_file.read_text(encoding="utf-8"))["nodes"].values()
    asked = [
        one
        for node in nodes
        if node["original_file_path"].startswith("models/marts/")
        for one in questions(node)
    ]
    assert asked
    with read_published(home) as published:
        published.connection.execute(f"use {published.schema('marts')}")
        return {
            f"{one.table}: {one.text}": len(published.connection.execute(one.sql).fetchall())
            for one in asked
        }
