"""Facts and charts on one static page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from cio.report import charts
from cio.report.wording import effect_words, headline

if TYPE_CHECKING:
    from cio.report.facts import Facts

_HERE = Path(__file__).parent
_DRAWN = ("conversion_rate", "revenue_per_person")


def write_page(facts: Facts, path: Path) -> Path:
    """Write the report; a reader never meets half a page.

    Args:
        facts: What it says.
        path: Where to.

    Returns:
        The absolute path.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["effect_words"] = effect_words
    html = environment.get_template("page.html").render(
        facts=facts,
        headline=headline(facts),
        shown=[lift for lift in facts.lifts if lift.metric in (*_DRAWN, "orders_per_person")],
        refused=_refused(facts),
        forests=[svg for metric in _DRAWN if (svg := charts.forest(facts.lifts, metric))],
        has_truth=any(lift.truth is not None for lift in facts.lifts),
        sizes=charts.sizes(facts.audiences),
        pressure=charts.pressure(facts.pressure),
    )
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(html, encoding="utf-8")
    unfinished.replace(path)
    return path


def _refused(facts: Facts) -> dict[str, str]:
    return {lift.label: lift.reason for lift in facts.lifts if lift.effect is None}
