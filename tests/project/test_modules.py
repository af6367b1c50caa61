"""House rules of the source files, where no linter has them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("cio", "loaders", "reverse_etl", "warehouse", "fakes")
PLACES = (*PACKAGES, "tests", "models", "macros", "seeds", "syncs")
VAGUE = frozenset({"utils", "util", "common", "helpers", "helper", "lib", "base", "misc"})
LONGEST = 400

# `noqa: S608 - why`: codes, and after a dash the reason.
REASONED = re.compile(r"noqa: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)* - \S")
SILENCED = re.compile(r"(#|--)\s*noqa", re.IGNORECASE)


def files(*places: str, suffixes: tuple[str, ...]) -> list[Path]:
    """Source files below some folders of the project, of which there must be some."""
    found = [
        path
        for place in places
        for path in sorted((ROOT / place).rglob("*"))
        if path.suffix in suffixes and "__pycache__" not in path.parts
    ]
    assert found
    return found


def imported(path: Path) -> Iterator[str]:
    """Top packages that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_no_name_says_nothing() -> None:
    vague = [
        str(path.relative_to(ROOT))
        for path in files(*PLACES, suffixes=(".py", ".sql", ".yml"))
        if VAGUE & {part.strip("_") for part in path.relative_to(ROOT).with_suffix("").parts}
    ]
    assert vague == []


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("loaders", {"reverse_etl", "fakes", "cio"}),
        ("reverse_etl", {"loaders", "fakes", "cio"}),
        ("warehouse", {"loaders", "reverse_etl", "fakes", "cio"}),
    ],
)
def test_packages_import_only_what_lies_below_them(package: str, forbidden: set[str]) -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in files(package, suffixes=(".py",))
        for name in imported(path)
        if name in forbidden
    }
    assert found == set()


def test_every_silenced_linter_has_its_reason_on_the_line() -> None:
    silenced = [
        (f"{path.relative_to(ROOT)}:{number}", line)
        for path in files(*PACKAGES, "tests", "models", suffixes=(".py", ".sql"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if SILENCED.search(line)
    ]
    assert silenced
    assert [place for place, line in silenced if not REASONED.search(line)] == []


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    long = [
        str(path.relative_to(ROOT))
        for path in files(*PACKAGES, suffixes=(".py",))
        if len(path.read_text().splitlines()) > LONGEST
    ]
    assert long == []


def test_a_union_that_removes_duplicates_says_why() -> None:
    """`union all` is the rule; a bare `union` has a comment on itself above it in the same file."""
    unexplained = [
        str(path.relative_to(ROOT))
        for path in files("models", "macros", suffixes=(".sql",))
        if re.search(r"^\s*union\s*$", path.read_text(), re.MULTILINE)
        and not re.search(r"--.*`union`", path.read_text())
    ]
    assert unexplained == []
