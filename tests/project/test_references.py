"""The references say what is there; `python -m cio.reference` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cio.reference import FOLDER, commands_page, tables_page
from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.project.conftest import Manifest

_OLD = "run `python -m cio.reference`, look at the difference, and commit it"


def test_tables_are_those_of_the_project(manifest: Manifest) -> None:
    assert (ROOT / FOLDER / "tables.md").read_text(encoding="utf-8") == tables_page(manifest), _OLD


def test_commands_are_those_of_the_program() -> None:
    assert (ROOT / FOLDER / "commands.md").read_text(encoding="utf-8") == commands_page(), _OLD


def test_every_option_has_words() -> None:
    bare = [line for line in commands_page().splitlines() if line.endswith("` |  |")]
    assert bare == []
