"""What is kept is what was made; what cannot be kept or read is made again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from cio import dbt_kept
from cio.dbt_kept import Kept, in_project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "target" / "dbt.kept"


def never() -> None:
    pytest.fail("it is made again")


def test_another_process_finds_what_one_kept(path: Path) -> None:
    first = Kept(path)
    code = compile("1 + 1", "<template>", "eval")
    assert first.get(("template", "1 + 1"), lambda: code) is code
    assert first.get("schema", lambda: {"type": ["string", None]}) == {"type": ["string", None]}
    assert first.get("schema", never)
    first.write()
    second = Kept(path)
    assert eval(second.get(("template", "1 + 1"), never)) == 2  # noqa: S307 - our own code
    assert second.get("schema", never) == {"type": ["string", None]}
    assert second.get("more", lambda: 1) == 1
    second.write()
    assert Kept(path).get("schema", never)
    assert Kept(path).get("more", never) == 1


def test_nothing_new_leaves_the_file_alone(path: Path) -> None:
    first = Kept(path)
    first.get("a", lambda: 1)
    first.write()
    before = path.stat()
    again = Kept(path)
    again.get("a", never)
    again.write()
    assert path.stat() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"", b"torn", b"\xe9\x01"])
def test_a_file_that_cannot_be_read_is_as_none(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    kept = Kept(path)
    assert kept.get("a", lambda: 1) == 1
    kept.write()
    assert Kept(path).get("a", never) == 1


def test_where_nothing_can_be_written_nothing_is_kept(path: Path) -> None:
    path.parent.write_text("a file")
    kept = Kept(path)
    assert kept.get("a", lambda: 1) == 1
    kept.write()
    assert path.parent.read_text() == "a file"


def test_beyond_a_limit_only_what_is_still_asked_for_stays(path: Path) -> None:
    old = Kept(path)
    old.get("old", lambda: 1)
    old.get("both", lambda: 1)
    old.write()
    new = Kept(path)
    new.get("both", never)
    new.get("new", lambda: 1)
    with patch.object(dbt_kept, "_MOST", 2):
        new.write()
    assert Kept(path).get("old", lambda: 2) == 2
    assert [Kept(path).get(name, never) for name in ("both", "new")] == [1, 1]


def test_other_releases_keep_in_a_file_of_their_own() -> None:
    here = in_project().path
    with patch.object(dbt_kept, "version", return_value="0"):
        assert in_project().path != here
    assert in_project().path == here
