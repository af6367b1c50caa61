"""What is printed is what was meant, brackets too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cio.terminal import err, out, table

if TYPE_CHECKING:
    import pytest


def test_the_name_of_a_section_is_not_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    out.print("set it in [reverse_etl.mixpanel]")
    out.print(table("Of [run]", ("what",), [("[run.load]",)]))
    err.print("see [alerts.slack]")
    said = capsys.readouterr()
    assert "[reverse_etl.mixpanel]" in said.out
    assert "Of [run]" in said.out
    assert "[run.load]" in said.out
    assert "[alerts.slack]" in said.err
