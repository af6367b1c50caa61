"""From a chart to a figure: one palette, spoken text, and two sizes, for a desk and for a phone."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Drawn = alt.LayerChart | alt.FacetChart

# Okabe and Ito's palette, told apart with every kind of colour vision; each holds a contrast of at
# least 3 : 1 against the light and the dark page.
BLUE = "#3a86c8"
ORANGE = "#d9730d"
GREEN = "#2e9673"
GREY = "#8a8f98"
SERIES = (BLUE, ORANGE, GREEN, "#b0689a", "#7f7a3c", GREY)

# Text takes the page's own colour, so that it is as readable as the page on light, dark and paper.
_TEXT = "#010203"
_FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"

STYLE = """
figure.chart { margin: 1.25rem 0; color: inherit; }
figure.chart svg { display: block; max-width: 100%; height: auto; overflow: visible; }
figure.chart .narrow { display: none; }
figure.chart figcaption { font-weight: 600; margin-bottom: .35rem; }
figure.chart .note { font-size: .9rem; opacity: .85; margin: .35rem 0 0; }
@media screen and (max-width: 640px) {
figure.chart .wide { display: none; }
figure.chart .narrow { display: block; }
table.cards thead { display: none; }
table.cards, table.cards tbody, table.cards tr, table.cards td { display: block; width: 100%; }
table.cards tr { border-bottom: 1px solid var(--line, #8a8f9855); padding: .6rem 0; }
table.cards td, table.cards td.n { border: 0; padding: .1rem 0; text-align: left; }
table.cards td, table.cards td.n { min-width: 0; white-space: normal; }
table.cards td[data-name]::before { content: attr(data-name) ": "; color: var(--soft, inherit); }
}
"""
"""Of figures, and of tables of the class `cards`: on a phone each row stands by itself."""


@dataclass(frozen=True)
class Size:
    """How much room a chart has, in pixels.

    Attributes:
        plot: Width of what is drawn.
        labels: Width of the labels of rows, beside it.
    """

    plot: int
    labels: int


WIDE = Size(plot=440, labels=290)
NARROW = Size(plot=165, labels=130)


def data(rows: Sequence[dict[str, Any]]) -> alt.InlineData:
    """Rows as a chart takes them."""
    return alt.InlineData(values=list(rows))


def figure(
    make: Callable[[Size], Drawn],
    *,
    title: str,
    described: str,
    note: str = "",
) -> str:
    """A figure with its title, its chart in two sizes, and a note.

    Args:
        make: Draws the chart for a size.
        title: Names the subject; shown above.
        described: What the chart says, for who cannot see it.
        note: A sentence below; nothing where empty.

    Returns:
        HTML; which size is shown is STYLE's matter.
    """
    sizes = {"wide": WIDE, "narrow": NARROW}
    drawn = "".join(
        f'<div class="{name}">{_svg(make(size), title, described)}</div>'
        for name, size in sizes.items()
    )
    below = f'<p class="note">{html.escape(note)}</p>' if note else ""
    caption = f"<figcaption>{html.escape(title)}</figcaption>"
    return f'<figure class="chart">{caption}{drawn}{below}</figure>'


def _svg(chart: Drawn, title: str, described: str) -> str:
    spec = (
        # letters are measured in another font than the reader's, which may be wider
        chart.properties(
            background="transparent", padding={"left": 16, "right": 16, "top": 5, "bottom": 5}
        )
        .configure(font=_FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_TEXT,
            titleColor=_TEXT,
            gridColor=GREY,
            gridOpacity=0.2,
            domainColor=GREY,
            tickColor=GREY,
            labelFontSize=13,
            titleFontSize=13,
            titleFontWeight="normal",
        )
        .configure_legend(
            labelColor=_TEXT, titleColor=_TEXT, labelFontSize=13, orient="top", columns=2
        )
        .configure_text(color=_TEXT, fontSize=12)
        .to_dict()
    )
    svg: str = vl_convert.vegalite_to_svg(spec)
    svg = svg.replace(f'"{_TEXT}"', '"currentColor"')
    label = html.escape(f"{title}. {described}", quote=True)
    # the label is all a screen reader needs; the letters in the drawing would be read one by one
    return re.sub(r"^<svg ", f'<svg role="img" aria-label="{label}" ', svg, count=1)
