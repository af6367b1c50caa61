from __future__ import annotations

import os
from typing import TYPE_CHECKING

import fsspec
import pytest

from loaders.locations import find_files, open_file
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".jsonl", ".jsonl.gz")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.jsonl", "deep/er/c.jsonl.gz", "notes.txt", ".hidden.jsonl"):
        path = tmp_path / "events" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "events"


def names(paths: list[str]) -> list[str]:
    return [file.path.rsplit("events/")[-1] for file in find_files(paths, suffixes=SUFFIXES)]


def test_a_folder_is_searched_with_everything_below_in_order(folder: Path) -> None:
    assert names([str(folder)]) == ["a.jsonl", "b.jsonl", "deep/er/c.jsonl.gz"]


def test_a_pattern_takes_what_it_matches_and_a_file_is_taken_whatever_its_name(
    folder: Path,
) -> None:
    assert names([f"{folder}/*.jsonl"]) == ["a.jsonl", "b.jsonl"]
    assert names([f"{folder}/**/*.gz"]) == ["deep/er/c.jsonl.gz"]
    assert names([f"{folder}/notes.txt"]) == ["notes.txt"]


def test_a_file_named_twice_is_taken_once(folder: Path) -> None:
    assert names([f"{folder}/b.jsonl", str(folder)]) == ["b.jsonl", "a.jsonl", "deep/er/c.jsonl.gz"]


def test_relative_paths_are_told_in_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (file,) = find_files(["a.jsonl"], suffixes=SUFFIXES)
    assert file.path == str(folder / "a.jsonl")


def test_a_fingerprint_changes_with_content_and_with_time(folder: Path) -> None:
    path = folder / "a.jsonl"

    def fingerprint() -> str:
        (file,) = find_files([str(path)], suffixes=SUFFIXES)
        return file.fingerprint

    first = fingerprint()
    assert fingerprint() == first == f"7:{path.stat().st_mtime_ns}"
    os.utime(path, ns=(1, 1))
    assert fingerprint() == "7:1"
    path.write_text("longer than before")
    assert fingerprint().startswith("18:")


def test_a_url_is_listed_and_read() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/events/x.jsonl", b"{}\n")
    memory.pipe("/bucket/events/x.txt", b"")
    (file,) = find_files(["memory://bucket/events"], suffixes=SUFFIXES)
    assert file.path == "memory:///bucket/events/x.jsonl"
    assert file.size_bytes == 3
    assert file.fingerprint.startswith("3:2")
    with open_file(file) as stream:
        assert stream.read() == b"{}\n"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{folder}/missing.jsonl", "there is no file or folder .*missing.jsonl"),
        ("{folder}/*.parquet", r"no file matches .*\*.parquet"),
        ("{folder}/deep/../empty", r"has no file to load \(\*.jsonl, \*.jsonl.gz\)"),
        ("nonsense://bucket/x", "cannot read nonsense://bucket/x"),
    ],
)
def test_a_path_that_names_nothing_is_named(folder: Path, path: str, message: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match=message):
        find_files([path.format(folder=folder)], suffixes=SUFFIXES)
