"""Every command of the documentation is one that there is, with options that it has."""

from __future__ import annotations

import re
from typing import Any

import pytest
from dbt.cli.main import cli as dbt

from cio.main import COMMANDS
from tests.conftest import ROOT
from tests.documented import Line, documented, unread

LINES = documented()
# `NAME`, `PERSON`, `<feed>` and `…` stand for what the reader puts there
_PLACEHOLDER = re.compile(r"<[a-z]+>|…|[A-Z]{4,}")
_TARGETS = re.compile(r"^([a-z-]+):", re.MULTILINE)
# options of other programs that sentences speak of
ELSEWHERE = {"--vars", "--no-partial-parse"}


def leaf(words: list[str]) -> tuple[Any, list[str]]:
    """A command of `cio` and the words that are its own."""
    assert words[0] in COMMANDS, f"there is no command {words[0]}"
    command, rest = COMMANDS[words[0]].load(words[0]), words[1:]
    while rest and hasattr(command, "commands"):
        assert rest[0] in command.commands, f"{command.name} has no command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


def options_of(command: Any) -> set[str]:  # noqa: ANN401 - of Typer's click
    own = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    return own.union(*(options_of(one) for one in getattr(command, "commands", {}).values()))


def test_there_are_commands_to_look_at() -> None:
    assert sum(line.is_block for line in LINES) > 40
    assert {line.words[0] for line in LINES if line.is_block} == {"cio", "dbt", "make"}
    assert unread() == []


@pytest.mark.parametrize("line", [one for one in LINES if one.is_block], ids=str)
def test_a_command_in_a_block_is_understood_as_it_stands(line: Line) -> None:
    program, *words = line.words
    if program == "make":
        assert set(words) <= set(_TARGETS.findall((ROOT / "Makefile").read_text("utf-8")))
    elif program == "dbt":
        dbt.commands[words[0]].make_context(words[0], words[1:])
    else:
        command, rest = leaf(words)
        # options of the wrong name or kind, and arguments too many or too few, raise
        command.make_context(command.name, rest)


@pytest.mark.parametrize("line", [one for one in LINES if not one.is_block], ids=str)
def test_a_command_in_a_sentence_has_the_options_it_is_said_to_have(line: Line) -> None:
    program, *words = line.words
    given = {word.partition("=")[0] for word in line.words if word.startswith("--")}
    if program == "make":
        assert set(words) <= set(_TARGETS.findall((ROOT / "Makefile").read_text("utf-8")))
    elif program == "dbt":
        command = dbt.commands.get(words[0])
        assert command is not None
        assert given <= options_of(command)
    elif program == "cio":
        command, rest = leaf([word for word in words if not _PLACEHOLDER.fullmatch(word)])
        assert given <= options_of(command)
        if not any(_PLACEHOLDER.search(word) for word in words) and rest:
            command.make_context(command.name, rest)
    else:
        known = set[str]().union(*(options_of(leaf([name])[0]) for name in COMMANDS))
        assert given <= known | ELSEWHERE
