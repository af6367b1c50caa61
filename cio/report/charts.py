"""Charts as static SVG: one palette, titles that name their subject, units on every axis."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import altair as alt
import vl_convert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cio.report.facts import Audience, Lift, Pressure

# Okabe and Ito's palette, told apart with every kind of colour vision; both blues and the orange
# hold a contrast of at least 3 : 1 against the light and the dark page.
BLUE = "#3a86c8"
ORANGE = "#d9730d"
GREY = "#8a8f98"
INK = "#7b818c"

# a share of fewer people than this says nothing
_FEWEST = 50

METRICS = {
    "conversion_rate": ("People who ordered, percentage points", 100.0),
    "orders_per_person": ("Orders per 100 people", 100.0),
    "revenue_per_person": ("Revenue per person, in the shop's currency", 1.0),
    "net_revenue_per_person": ("Revenue per person net of refunds, in the shop's currency", 1.0),
}


def forest(lifts: Sequence[Lift], metric: str) -> str:
    """A forest plot of one metric: each arm's effect, its 95 % interval, and zero.

    Args:
        lifts: Results that have an effect, of any metric.
        metric: The metric to draw.

    Returns:
        SVG text; empty where there is nothing to draw.
    """
    title, factor = METRICS[metric]
    rows = [
        {
            "arm": f"{lift.arm} — {lift.label}",
            "effect": (lift.effect or 0.0) * factor,
            "low": (lift.ci_low if lift.ci_low is not None else lift.effect or 0.0) * factor,
            "high": (lift.ci_high if lift.ci_high is not None else lift.effect or 0.0) * factor,
            "truth": None if lift.truth is None else lift.truth * factor,
        }
        for lift in lifts
        if lift.metric == metric and lift.effect is not None
    ]
    if not rows:
        return ""
    base = alt.Chart(_data(rows)).encode(
        y=alt.Y(
            "arm:N",
            title=None,
            sort=None,
            axis=alt.Axis(labelLimit=320, labelExpr="split(datum.label, ' — ')"),
        )
    )
    zero = (
        alt.Chart(_data([{"zero": 0}])).mark_rule(color=GREY, strokeDash=[4, 4]).encode(x="zero:Q")
    )
    intervals = base.mark_rule(color=BLUE, strokeWidth=3).encode(
        x=alt.X("low:Q", title=title), x2="high:Q"
    )
    effects = base.mark_point(color=BLUE, filled=True, size=90).encode(x="effect:Q")
    layers = [zero, intervals, effects]
    if any(row["truth"] is not None for row in rows):
        layers.append(
            base.transform_filter("datum.truth !== null")
            .mark_tick(color=ORANGE, thickness=3, size=22)
            .encode(x="truth:Q")
        )
    chart = alt.layer(*layers).properties(width=420, height=alt.Step(44))
    described = "; ".join(
        f"{row['arm']}: {row['effect']:.2f}, from {row['low']:.2f} to {row['high']:.2f}"
        for row in rows
    )
    return _svg(chart, f"Lift with 95 % intervals: {title}", described)


def sizes(audiences: Sequence[Audience]) -> str:
    """A bar an audience: how many people are in it."""
    rows = [{"label": audience.label, "people": audience.people} for audience in audiences]
    if not rows:
        return ""
    base = alt.Chart(_data(rows)).encode(
        y=alt.Y("label:N", title=None, sort="-x", axis=alt.Axis(labelLimit=320)),
        x=alt.X("people:Q", title="People"),
    )
    bars = base.mark_bar(color=BLUE, height=14)
    texts = base.mark_text(align="left", dx=4, color=INK).encode(
        text=alt.Text("people:Q", format=",")
    )
    chart = alt.layer(bars, texts).properties(width=420, height=alt.Step(24))
    described = "; ".join(f"{row['label']}: {row['people']:,}" for row in rows)
    return _svg(chart, "People in each audience", described)


def pressure(rows: Sequence[Pressure]) -> str:
    """The share of people who clicked, by how many messages they received in 14 days."""
    drawn = [
        {
            "messages": str(row.messages) + ("+" if row is rows[-1] else ""),
            "share": 100 * row.clickers / row.people if row.people >= _FEWEST else None,
            "people": row.people,
        }
        for row in rows
        if row.people
    ]
    if not drawn:
        return ""
    base = alt.Chart(_data(drawn)).encode(
        x=alt.X(
            "messages:N",
            title="Messages received in 14 days",
            sort=None,
            axis=alt.Axis(labelAngle=0),
        )
    )
    people = base.mark_bar(color=GREY, opacity=0.35).encode(
        y=alt.Y("people:Q", title="People (bars)")
    )
    share = base.mark_line(
        color=BLUE, strokeWidth=3, point=alt.OverlayMarkDef(color=BLUE, filled=True, size=60)
    ).encode(y=alt.Y("share:Q", title="Clicked at least one, % (line, from 50 people)"))
    chart = (
        alt.layer(people, share).resolve_scale(y="independent").properties(width=520, height=240)
    )
    described = "; ".join(
        f"{row['messages']} messages: {row['people']:,} people"
        + ("" if row["share"] is None else f", {row['share']:.1f} % clicked")
        for row in drawn
    )
    return _svg(chart, "Pressure and clicks in 14 days", described)


def _data(rows: Sequence[dict[str, Any]]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _svg(chart: alt.LayerChart | alt.FacetChart, title: str, described: str) -> str:
    spec = (
        chart.properties(background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=INK,
            gridColor=GREY,
            gridOpacity=0.2,
            domainColor=GREY,
            tickColor=GREY,
            labelFontSize=13,
            titleFontSize=13,
            titleFontWeight="normal",
        )
        .to_dict()
    )
    svg: str = vl_convert.vegalite_to_svg(spec)
    spoken = f"<title>{html.escape(title)}</title><desc>{html.escape(described)}</desc>"
    # the page scales a chart to its column; the vendor's ids and sizes would not let it
    svg = re.sub(r'(<svg [^>]*?) width="[\d.]+" height="[\d.]+"', r"\1", svg, count=1)
    return re.sub(r"(<svg [^>]*>)", rf"\1{spoken}", svg, count=1).replace(
        "<svg ", '<svg role="img" ', 1
    )
