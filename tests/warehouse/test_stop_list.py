"""The stop list's lines: what they hold, and for which builds an opt-out is news."""

from __future__ import annotations

import json
import stat
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from warehouse.stop_list import UNLOADED, append, counts, digest, is_about, opted_out

if TYPE_CHECKING:
    from pathlib import Path

BUILT = datetime.fromisoformat("2026-02-01T12:00:00")
SECOND = timedelta(seconds=1)


def test_lines_hold_hashes_and_each_identifier_once(tmp_path: Path) -> None:
    path = tmp_path / "stop_list.ndjson"
    assert append(path, "opt_out", ["A@x.io", " a@X.io ", None, "", "c1"], by="load") == 2
    assert append(path, "erasure", [None, " "], by="erase") == 0
    assert append(path, "erasure", ["c1"], by="erase") == 1
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(each["kind"], each["identifier"], each["by"]) for each in lines] == [
        ("opt_out", digest("a@x.io"), "load"),
        ("opt_out", digest("c1"), "load"),
        ("erasure", digest("c1"), "erase"),
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_who_left_a_topic_opted_out_of_that_topic_alone(tmp_path: Path) -> None:
    path = tmp_path / "stop_list.ndjson"
    append(path, "opt_out", ["c1"], by="load", topics=["topic_2", "topic_1", "topic_2"])
    append(path, "opt_out", ["c2"], by="load")
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first["topics"] == ["topic_1", "topic_2"]
    assert "topics" not in second
    assert (is_about(first, "topic_1"), is_about(first, "topic_3"), is_about(first, None)) == (
        True,
        False,
        False,
    )
    assert is_about(second, None)
    assert is_about(second, "topic_1")
    assert opted_out(path, BUILT) == {digest("c2")}
    assert opted_out(path, BUILT, topic="topic_2") == {digest("c1"), digest("c2")}


@pytest.mark.parametrize(
    ("entry", "is_news"),
    [
        ({"kind": "opt_out", "by": "load", "at": (BUILT - SECOND).isoformat()}, False),
        ({"kind": "opt_out", "by": "load", "at": BUILT.isoformat()}, True),
        ({"kind": "opt_out", "by": "receive", "at": (BUILT - UNLOADED).isoformat()}, True),
        (
            {"kind": "opt_out", "by": "receive", "at": (BUILT - UNLOADED - SECOND).isoformat()},
            False,
        ),
        ({"kind": "opt_out"}, True),
    ],
)
def test_an_opt_out_that_the_build_knew_is_left_to_it(
    entry: dict[str, str],
    is_news: bool,  # noqa: FBT001 - a case
) -> None:
    assert counts(entry, BUILT) is is_news
    assert counts(entry, None)


def test_who_leaves_a_list_opted_out_after_the_build_had_started(tmp_path: Path) -> None:
    path = tmp_path / "stop_list.ndjson"
    assert opted_out(path, BUILT) == set()
    entries = [
        {"kind": "opt_out", "identifier": "before", "at": (BUILT - SECOND).isoformat()},
        {"kind": "opt_out", "identifier": "at", "at": BUILT.isoformat(), "by": "receive"},
        {"kind": "opt_out", "identifier": "some time"},
        {"kind": "opt_out", "identifier": "no time", "at": "yesterday"},
        {"kind": "erasure", "identifier": "erased", "at": BUILT.isoformat()},
    ]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + '{"kind": "opt')
    assert opted_out(path, BUILT) == {"at"}
