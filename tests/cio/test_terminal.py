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


def test_numbers_have_their_thousands_apart_and_what_holds_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out.print(table("People", ("orders", "is_held_out"), [(1234, True), (1, False)]))
    said = capsys.readouterr().out
    assert "1,234" in said
    assert "yes" in said
    assert "no" in said
