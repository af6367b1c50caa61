"""The commands that README.md, CONTRIBUTING.md and the guides tell readers to run."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/guides").glob("*.md")))
PROGRAMS = ("cio", "dbt", "make")
SHELLS = ("sh", "console")
_FENCE = re.compile(r"^ *```([a-z]*) *$")
_INLINE = re.compile(r"`((?:cio|dbt|make) [^`]*|--[a-z][^`]*)`")


class Line(NamedTuple):
    """One command: the page it stands on, whether alone in a block or within a sentence."""

    page: str
    command: str
    is_block: bool

    @property
    def words(self) -> list[str]:
        """The program and its arguments, without what the shell does with them."""
        found = shlex.split(self.command, comments=self.is_block)
        for number, word in enumerate(found):
            if word in {">", ">>", "|"}:
                return found[:number]
        return found


def documented() -> list[Line]:
    """Every command of every page, in the order in which they stand."""
    return [line for page in PAGES for line in _lines(page.name, page.read_text("utf-8"))]


def unread() -> list[str]:
    """Lines of shell blocks in which no program is known."""
    return [
        f"{page.name}: {text}"
        for page in PAGES
        for tag, text in _block_lines(page.read_text("utf-8"))
        if tag in SHELLS and not list(_commands(text))
    ]


def _lines(page: str, text: str) -> Iterator[Line]:
    for tag, line in _block_lines(text):
        if tag in {"", *SHELLS}:
            yield from (Line(page, command, is_block=True) for command in _commands(line))
    prose = re.sub(r"(?ms)^ *```.*?^ *```", "", text)
    yield from (Line(page, found, is_block=False) for found in _INLINE.findall(prose))


def _block_lines(text: str) -> Iterator[tuple[str, str]]:
    tag: str | None = None
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if fence:
            tag = fence.group(1) if tag is None else None
        elif tag is not None and line.strip() and not line.strip().startswith("#"):
            yield tag, line.strip()


def _commands(line: str) -> Iterator[str]:
    for part in line.split("&&"):
        command = part.strip().removeprefix("$ ").removeprefix(".venv/bin/")
        if command.partition(" ")[0] in PROGRAMS:
            yield command
