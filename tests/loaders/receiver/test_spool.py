"""Files of the spool, whatever happens to their writer or the disk."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from loaders.receiver import spool as module
from loaders.receiver.spool import Limits, Spool, finish_leftovers, finished_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def spool(folder: Path) -> Spool:
    return Spool(folder, worker=3, limits=Limits())


def test_a_file_is_seen_by_loads_once_it_is_finished(spool: Spool, folder: Path) -> None:
    spool.append([b"1\n", b"2\n"])
    spool.append([b"3\n"])
    assert finished_files(folder) == []
    spool.finish()
    (path,) = finished_files(folder)
    assert path.read_bytes() == b"1\n2\n3\n"
    assert path.name.endswith("-3-1.jsonl")
    assert path.stat().st_mode & 0o777 == 0o600
    assert spool.fsyncs == 2


def test_nothing_is_opened_before_the_first_event(spool: Spool, folder: Path) -> None:
    spool.finish()
    assert not spool.is_old()
    assert list(folder.iterdir()) == []


def test_a_file_is_finished_at_its_size(folder: Path) -> None:
    spool = Spool(folder, worker=0, limits=Limits(size_bytes=4))
    for number in range(5):
        spool.append([f"{number}\n".encode()])
    assert [path.read_bytes() for path in finished_files(folder)] == [b"0\n1\n", b"2\n3\n"]


def test_a_file_is_old_after_its_age(folder: Path) -> None:
    spool = Spool(folder, worker=0, limits=Limits(age_seconds=0))
    spool.append([b"1\n"])
    assert spool.is_old()
    spool.finish()
    assert not spool.is_old()


def test_an_open_file_of_a_living_writer_is_left_alone(spool: Spool, folder: Path) -> None:
    spool.append([b"1\n"])
    assert finish_leftovers(folder) == []
    spool.append([b"2\n"])
    spool.finish()
    assert [path.read_bytes() for path in finished_files(folder)] == [b"1\n2\n"]


def test_leftovers_are_finished_as_they_are_and_empty_ones_removed(folder: Path) -> None:
    (folder / "20260101T000000.000000Z-0-1.jsonl.open").write_bytes(b'{"a":1}\n{"torn')
    (folder / "20260101T000000.000000Z-0-2.jsonl.open").write_bytes(b"")
    (finished,) = finish_leftovers(folder)
    assert finished.read_bytes() == b'{"a":1}\n{"torn'
    assert list(folder.iterdir()) == [finished] == finished_files(folder)


def test_two_receivers_in_one_home_do_not_share_a_file(folder: Path) -> None:
    one, two = (Spool(folder, worker=0, limits=Limits()) for _ in range(2))
    one.append([b"1\n"])
    two.append([b"2\n"])
    one.finish()
    two.finish()
    assert [path.read_bytes() for path in finished_files(folder)] == [b"1\n", b"2\n"]


def test_what_a_full_disk_took_in_part_is_taken_back(
    spool: Spool, folder: Path, full_disk: Callable[..., Any]
) -> None:
    spool.append([b"before\n"])
    with full_disk(after_bytes=3), pytest.raises(OSError, match="No space"):
        spool.append([b"during\n"])
    with full_disk(after_bytes=3), pytest.raises(OSError, match="No space"):
        spool.append([b"during\n"])
    spool.append([b"after\n"])
    spool.finish()
    assert [path.read_bytes() for path in finished_files(folder)] == [b"before\n", b"after\n"]
    assert list(folder.glob("*.open")) == []


def test_after_an_fsync_that_failed_the_file_is_not_trusted_again(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append([b"before\n"])

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            spool.append([b"during\n"])
    spool.append([b"after\n"])
    spool.finish()
    assert [path.read_bytes() for path in finished_files(folder)] == [b"before\n", b"after\n"]


def test_a_file_that_cannot_be_renamed_is_a_leftover(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(folder, worker=0, limits=Limits(size_bytes=1))

    def fail(_self: Path, _target: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(type(folder), "rename", fail)
        spool.append([b"1\n"])
    assert finished_files(folder) == []
    assert [path.read_bytes() for path in finish_leftovers(folder)] == [b"1\n"]
