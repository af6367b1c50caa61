"""The shapes that figures have: intervals, bars, doses, courses over time, and a heat map."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from cio.charts.drawing import BLUE, GREY, ORANGE, SERIES, Size, data, figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from cio.charts.drawing import Drawn

_BREAK = "\n"
# letters of 13 px are about so wide, in the widest of the fonts that a page may end up with
_LETTER = 8.8
_HEIGHT = 220
_MOST_LINES = 4


@dataclass(frozen=True)
class Interval:
    """One row of a forest plot.

    Attributes:
        label: What it is of.
        value: The estimate.
        low: Lower end of its 95 % interval.
        high: Upper end.
        always_low: Lower end of the interval that may be looked at every day, if there is one.
        always_high: Upper end of that.
        truth: What was planted, in a seeded world.
    """

    label: str
    value: float
    low: float
    high: float
    always_low: float | None = None
    always_high: float | None = None
    truth: float | None = None


@dataclass(frozen=True)
class Point:
    """One value of a course: when or at which dose, of which series, with its interval."""

    at: date | int | str
    value: float | None
    low: float | None = None
    high: float | None = None
    series: str = ""


@dataclass(frozen=True)
class Mark:
    """Something that happened on a day, such as a new version of a definition."""

    at: date
    label: str


def forest(rows: Sequence[Interval], *, title: str, unit: str, note: str = "") -> str:
    """A forest plot: each estimate, its intervals, and zero.

    Args:
        rows: From top to bottom.
        title: Names the subject.
        unit: Title of the axis.
        note: A sentence below.

    Returns:
        A figure; empty where there is nothing to draw.
    """
    if not rows:
        return ""

    def make(size: Size) -> Drawn:
        values = [vars(row) | {"label": _wrap(row.label, size.labels)} for row in rows]
        base = alt.Chart(data(values)).encode(y=_rows(size))
        zero = alt.Chart(data([{"zero": 0}])).mark_rule(color=GREY, strokeDash=[4, 4])
        layers: list[alt.Chart] = [zero.encode(x="zero:Q")]
        if any(row.always_low is not None for row in rows):
            always = base.transform_filter("datum.always_low !== null")
            layers.append(
                always.mark_rule(color=BLUE, strokeWidth=1.5, opacity=0.75).encode(
                    x=alt.X("always_low:Q", title=_wrapped_title(unit, size)), x2="always_high:Q"
                )
            )
        layers.append(
            base.mark_rule(color=BLUE, strokeWidth=5).encode(
                x=alt.X("low:Q", title=_wrapped_title(unit, size), axis=_number_axis(size)),
                x2="high:Q",
            )
        )
        layers.append(base.mark_point(color=BLUE, filled=True, size=110).encode(x="value:Q"))
        if any(row.truth is not None for row in rows):
            layers.append(
                base.transform_filter("datum.truth !== null")
                .mark_tick(color=ORANGE, thickness=3, size=22)
                .encode(x="truth:Q")
            )
        return alt.layer(*layers).properties(width=size.plot, height=alt.Step(_step(values)))

    described = "; ".join(
        f"{row.label}: {row.value:.2f} ({row.low:.2f} to {row.high:.2f})" for row in rows
    )
    return figure(make, title=title, described=f"{unit}. {described}", note=note)


def bars(
    rows: Sequence[tuple[str, float]], *, title: str, unit: str, note: str = "", most: int = 20
) -> str:
    """A bar a row, the longest first.

    Args:
        rows: Labels and values.
        title: Names the subject.
        unit: Title of the axis.
        note: A sentence below.
        most: Draw no more than so many; the note says how many are left out.

    Returns:
        A figure; empty where there is nothing to draw.
    """
    if not rows:
        return ""
    drawn = sorted(rows, key=lambda row: (-row[1], row[0]))[:most]
    if len(rows) > most:
        note = f"The {most} largest of {len(rows):,}. {note}".strip()

    def make(size: Size) -> Drawn:
        values = [{"label": _wrap(label, size.labels), "value": value} for label, value in drawn]
        base = alt.Chart(data(values)).encode(
            y=_rows(size),
            x=alt.X("value:Q", title=_wrapped_title(unit, size), axis=_number_axis(size)),
        )
        text = base.mark_text(align="left", dx=4).encode(text=alt.Text("value:Q", format=","))
        return alt.layer(base.mark_bar(color=BLUE, height=14), text).properties(
            width=size.plot, height=alt.Step(_step(values, least=24))
        )

    described = "; ".join(f"{label}: {value:,}" for label, value in drawn)
    return figure(make, title=title, described=f"{unit}. {described}", note=note)


def course(
    points: Sequence[Point],
    *,
    title: str,
    axes: tuple[str, str],
    note: str = "",
    marks: Sequence[Mark] = (),
) -> str:
    """Values over days or doses, with their intervals; a colour and a shape a series.

    Args:
        points: In the order of `at`; days, whole numbers or words.
        title: Names the subject.
        axes: Titles of the axis of days or doses, and of that of values.
        note: A sentence below.
        marks: Days to mark, where `at` is a day.

    Returns:
        A figure; empty where there is nothing to draw.
    """
    known = [point for point in points if point.value is not None]
    if not known:
        return ""
    x, y = axes
    kind = {int: "Q", str: "N"}.get(type(known[0].at), "T")
    is_time = kind == "T"

    def make(size: Size) -> Drawn:
        values = [
            vars(point) | {"at": point.at if kind == "Q" else str(point.at)} for point in known
        ]
        axis = _time_axis(size) if is_time else alt.Axis(labelAngle=0, labelOverlap=True)
        base = alt.Chart(data(values)).encode(
            x=alt.X(f"at:{kind}", title=_wrapped_title(x, size), sort=None, axis=axis),
            color=_colours(known),
        )
        scale = alt.Scale(zero=kind == "N")
        value_axis = alt.Y("value:Q", title=_upright(y), scale=scale)
        layers: list[alt.Chart] = []
        if any(point.low is not None for point in known):
            ends = {"y": alt.Y("low:Q", title=_upright(y)), "y2": "high:Q"}
            band = base.mark_area(opacity=0.2) if kind != "N" else base.mark_rule(strokeWidth=2)
            layers.append(band.encode(**ends))
        layers.append(_line(base, is_stepped=kind == "Q").encode(y=value_axis))
        few = len(known) <= _FEW * max(1, len({point.series for point in known}))
        if few:
            shape = alt.Shape("series:N", legend=None)
            dots = base.mark_point(filled=True, size=55, opacity=1)
            layers.append(dots.encode(y=value_axis, shape=shape))
        if marks and is_time:
            layers += _marked(marks)
        return alt.layer(*layers).properties(width=size.plot + size.labels // 2, height=_HEIGHT)

    return figure(make, title=title, described=_told(known, x, y), note=note)


def heat_map(cells: Sequence[tuple[str, str, float]], *, title: str, note: str = "") -> str:
    """A share from 0 to 1 for each pair, as colour and as a number.

    Args:
        cells: Row, column and value; both halves, if both are to be drawn.
        title: Names the subject.
        note: A sentence below.

    Returns:
        A figure; empty where there is nothing to draw.
    """
    if not cells:
        return ""
    names = len({row for row, _, _ in cells})

    def make(size: Size) -> Drawn:
        values = [
            {"row": row, "column": column, "value": 100 * value} for row, column, value in cells
        ]
        short: dict[str, Any] = {"labelLimit": size.labels, "labelExpr": _shortened(size)}
        base = alt.Chart(data(values)).encode(
            x=alt.X("column:N", title=None, axis=alt.Axis(labelAngle=-90, **short)),
            y=alt.Y("row:N", title=None, axis=alt.Axis(**short)),
        )
        colour = alt.Color("value:Q", scale=alt.Scale(scheme="blues", domain=[0, 100]), legend=None)
        dark_enough = alt.condition("datum.value > 50", alt.value("white"), alt.value("#1d2129"))
        text = base.mark_text(fontSize=10).encode(
            text=alt.Text("value:Q", format=".0f"), color=dark_enough
        )
        is_wide = size.plot > _NARROW_PLOT
        cells_drawn = base.mark_rect().encode(color=colour)
        # a phone shrinks a large map until its numbers run into each other: the colour is enough
        layers = [cells_drawn, text] if is_wide or names <= _MOST_NUMBERED else [cells_drawn]
        step = 26 if is_wide else 20
        return alt.layer(*layers).properties(width=alt.Step(step), height=alt.Step(step))

    most = sorted(cells, key=lambda cell: -cell[2])[:10]
    described = "; ".join(f"{row} and {column}: {100 * value:.0f} %" for row, column, value in most)
    return figure(make, title=title, described=f"The largest: {described}", note=note)


_FEW = 40
_NARROW_PLOT = 300
_MOST_NUMBERED = 8


def _line(base: alt.Chart, *, is_stepped: bool) -> alt.Chart:
    drawn: alt.Chart = base.mark_line(strokeWidth=2.5)
    if is_stepped:
        drawn = base.mark_line(strokeWidth=2.5, interpolate="step-after")
    return drawn


def _told(points: Sequence[Point], x: str, y: str) -> str:
    newest: dict[str, Point] = {point.series: point for point in points}
    words = [f"{point.series or y}: {point.value:,.4g} at {point.at}" for point in newest.values()]
    return f"{y} by {x}, {len(points):,} values. Last: {'; '.join(words)}"


def _colours(points: Sequence[Point]) -> alt.Color:
    names = list(dict.fromkeys(point.series for point in points))
    colours = [SERIES[index % len(SERIES)] for index in range(len(names))]
    legend = alt.Legend(title=None, labelLimit=300) if len(names) > 1 else None
    return alt.Color("series:N", scale=alt.Scale(domain=names, range=colours), legend=legend)


def _marked(marks: Sequence[Mark]) -> list[alt.Chart]:
    values = [{"at": str(mark.at), "label": mark.label} for mark in marks]
    base = alt.Chart(data(values)).encode(x="at:T")
    rule = base.mark_rule(color=ORANGE, strokeDash=[3, 3], strokeWidth=2)
    return [rule, base.mark_text(align="left", dx=4, y=8).encode(text="label:N")]


def _rows(size: Size) -> alt.Y:
    return alt.Y(
        "label:N",
        title=None,
        sort=None,
        axis=alt.Axis(
            labelLimit=size.labels,
            labelExpr=f"split(datum.label, {json.dumps(_BREAK)})",
            labelPadding=6,
        ),
    )


def _time_axis(size: Size) -> alt.Axis:
    return alt.Axis(format="%d %b", tickCount=3 if size.plot < _NARROW_PLOT else 7, labelAngle=0)


def _number_axis(size: Size) -> alt.Axis:
    # letters are measured in another font than the reader's, so numbers need room between them
    return alt.Axis(
        tickCount=3 if size.plot < _NARROW_PLOT else 7,
        labelOverlap="greedy",
        labelSeparation=14,
        labelFlush=False,
    )


def _shortened(size: Size) -> str:
    """A label whose middle is left out where it is too long: names differ at their ends."""
    letters = int(size.labels / _LETTER)
    ends = f"slice(datum.label, 0, {letters // 2 - 1}) + '…' + slice(datum.label, -{letters // 2})"
    return f"length(datum.label) > {letters} ? {ends} : datum.label"


def _wrap(label: str, pixels: int) -> str:
    letters = max(10, int(pixels / _LETTER))
    return _BREAK.join(textwrap.wrap(label, letters, max_lines=_MOST_LINES, placeholder=" …"))


def _wrapped_title(title: str, size: Size) -> list[str]:
    return textwrap.wrap(title, int(size.plot / _LETTER))


def _upright(title: str) -> list[str]:
    return textwrap.wrap(title, int(_HEIGHT / _LETTER))


def _step(values: Sequence[dict[str, Any]], least: int = 40) -> int:
    most = max(str(value["label"]).count(_BREAK) + 1 for value in values)
    return max(least, 17 * most + 10)
