"""Facts and charts on one static page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from cio.charts.drawing import STYLE
from cio.report.figures import lift_figure, pressure_figures, size_figures
from cio.report.wording import (
    chance,
    cleared,
    effect_words,
    headline,
    how_long,
    lift_sentence,
    spoken,
)

if TYPE_CHECKING:
    from cio.report.facts import Facts

_HERE = Path(__file__).parent
_DRAWN = ("conversion_rate", "revenue_per_person")
_SHOWN = (*_DRAWN, "orders_per_person")


def write_page(facts: Facts, path: Path) -> Path:
    """Write the report; a reader never meets half a page.

    Args:
        facts: What it says.
        path: Where to.

    Returns:
        The absolute path.
    """
    return write_whole(path, render(facts))


def render(facts: Facts) -> str:
    """The report as HTML: no script, and nothing that a network would have to bring."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (effect_words, lift_sentence, how_long, chance, spoken)
    environment.filters.update({one.__name__: one for one in filters})
    return environment.get_template("page.html").render(
        facts=facts,
        style=STYLE,
        headline=headline(facts),
        shown=[lift for lift in facts.lifts if lift.metric in _SHOWN and lift.effect is not None],
        refused={lift.label: lift.reason for lift in facts.lifts if lift.effect is None},
        cleared=cleared(facts),
        forests=[svg for metric in _DRAWN if (svg := lift_figure(facts, metric))],
        has_truth=any(lift.truth is not None for lift in facts.lifts),
        sizes=size_figures(facts),
        pressure=pressure_figures(facts),
    )


def write_whole(path: Path, text: str) -> Path:
    """Write a file so that nobody meets half of it; returns its absolute path."""
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    return path
