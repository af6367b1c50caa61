"""`cio notebook`: what it lists, refuses and writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cio.notebook_command import notebook_file
from cio.notebooks import NOTEBOOKS, html_table, pieces
from tests.cio.command import cio
from tests.conftest import ROOT
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_every_notebook_is_listed_and_every_listed_one_is_there() -> None:
    assert {path.stem for path in (ROOT / "notebooks").glob("*.py")} == set(NOTEBOOKS)


def test_an_unknown_notebook_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="there are holdout_readout, fatigue"):
        notebook_file("nonsense")


def test_nothing_published_is_told_as_such(tmp_path: Path) -> None:
    said = cio("notebook", "fatigue", "--html", str(tmp_path / "page.html"), home=tmp_path)
    assert said.exit_code == 1
    assert "cio build" in said.err
    assert "Traceback" not in said.err


def test_it_becomes_a_jupyter_notebook(tmp_path: Path) -> None:
    written = tmp_path / "new" / "fatigue.ipynb"
    said = cio("notebook", "fatigue", "--ipynb", str(written), home=tmp_path)
    assert said.exit_code == 0, said.err
    cells = json.loads(written.read_text(encoding="utf-8"))["cells"]
    assert any("frequency_cap_simulation" in "".join(cell["source"]) for cell in cells)


def test_a_table_tells_what_it_leaves_out_and_takes_names_as_text() -> None:
    html = html_table([{"name": "<b>", "people": 1000}] * 501, {"name": "Name", "people": "People"})
    assert "&lt;b&gt;" in html
    assert "1,000" in html
    assert "and 1 more" in html


def test_pieces_of_nothing_are_a_sentence() -> None:
    assert pieces("", "", nothing="Nobody <yet>.") == "<p>Nobody &lt;yet&gt;.</p>"
