"""A table in plain text, for whoever reads it in a chat: numbers to the right, rates in percent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GAP = "  "


def draw_table(rows: Sequence[Mapping[str, Any]], *, most: int) -> str:
    """A table of rows, under their names, as far as it fits.

    Args:
        rows: Flat objects; a name that one lacks is left empty.
        most: Most characters.

    Returns:
        Lines; the last says how many rows did not fit, if any.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_words(name) for name in names]]
    cells += [[_cell(name, row.get(name)) for name in names] for row in rows]
    numbers = [all(_is_number(row.get(name)) for row in rows) for name in names]
    widths = [max(len(line[at]) for line in cells) for at in range(len(names))]
    lines = [
        _GAP.join(
            text.rjust(width) if is_number else text.ljust(width)
            for text, width, is_number in zip(line, widths, numbers, strict=True)
        ).rstrip()
        for line in cells
    ]
    shown = "\n".join(lines)
    kept = len(lines)
    while len(shown) > most and kept > 1:
        kept -= 1
        shown = "\n".join([*lines[:kept], f"and {len(lines) - kept} more"])
    return shown[:most]


def _words(name: str) -> str:
    return name.replace("_rate", "").replace("_", " ")


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(name: str, value: Any) -> str:  # noqa: ANN401 - any JSON
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name.endswith("_rate") or "_rate_" in name:
        return f"{value:.2%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
