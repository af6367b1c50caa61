"""The list of commands says what each says of itself, and needs none of them."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from cio.main import COMMANDS, app
from tests.conftest import ROOT


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_words_of_its_own_help(name: str) -> None:
    command: Any = COMMANDS[name].load(name)
    assert command.name == name
    assert COMMANDS[name].help == inspect.cleandoc(command.help).partition("\n\n")[0]
    examples = [command.epilog] if COMMANDS[name].example else []
    examples += [one.epilog for one in getattr(command, "commands", {}).values()]
    assert examples
    assert all(example.startswith(f"Example: cio {name}") for example in examples)


def test_every_command_is_listed_and_shows_its_own_options() -> None:
    listed = CliRunner().invoke(app, ["--help"]).stdout
    assert all(f"│ {name} " in listed for name in COMMANDS)
    assert "--people" in CliRunner().invoke(app, ["demo", "--help"]).stdout
    assert "--force" in CliRunner().invoke(app, ["sync", "run", "--help"]).stdout


def test_a_misspelled_command_is_told_what_was_meant() -> None:
    said = CliRunner().invoke(app, ["loadd"])
    assert said.exit_code == 2
    assert "Did you mean 'load'?" in said.output


def test_the_list_imports_nothing_that_commands_need() -> None:
    heavy = "{'dlt', 'duckdb', 'pyarrow', 'altair', 'httpx', 'uvicorn', 'numpy'}"
    code = (
        "import sys\n"
        "from cio.main import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.exit(str(sorted({heavy} & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "[]"
