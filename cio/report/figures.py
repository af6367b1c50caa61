"""The report's figures, from its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cio.charts.shapes import Interval, Mark, Point, bars, course, forest
from cio.report.wording import UNITS

if TYPE_CHECKING:
    from cio.report.facts import Audience, Facts, Lift

# a share of fewer people than this says nothing
_FEWEST = 50
# charts of sizes over time; the table has every audience
_MOST_COURSES = 6

_TITLES = {
    "conversion_rate": ("Lift in people who ordered", "People who ordered, percentage points"),
    "orders_per_person": ("Lift in orders", "Orders per 100 people"),
    "revenue_per_person": ("Lift in revenue", "Revenue per person, in the shop's currency"),
    "net_revenue_per_person": (
        "Lift in revenue net of refunds",
        "Net revenue per person, in the shop's currency",
    ),
}


def lift_figure(facts: Facts, metric: str) -> str:
    """A forest plot of one metric over all experiments; empty where nothing is measured."""
    title, unit = _TITLES[metric]
    drawn = [_interval(lift) for lift in facts.lifts if lift.metric == metric]
    found = [row for row in drawn if row is not None]
    note = "Point: effect. Thick line: 95 % interval, read once, at the end."
    if any(row.always_low is not None for row in found):
        note += " Thin line: interval that may be looked at every day."
    if any(row.truth is not None for row in found):
        note += " Orange tick: the effect planted in this seeded world."
    return forest(found, title=title, unit=unit, note=note)


def _interval(lift: Lift) -> Interval | None:
    if lift.effect is None or lift.ci_low is None or lift.ci_high is None:
        return None
    factor, _ = UNITS[lift.metric]

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    return Interval(
        label=f"{lift.arm}: {lift.label}",
        value=lift.effect * factor,
        low=lift.ci_low * factor,
        high=lift.ci_high * factor,
        always_low=scaled(lift.always_low),
        always_high=scaled(lift.always_high),
        truth=scaled(lift.truth),
    )


def pressure_figures(facts: Facts) -> list[str]:
    """Who receives how much, what the n-th message brings, and what messages cause."""
    people = [
        Point(_at(row.messages, is_last=row is facts.pressure[-1]), row.people)
        for row in facts.pressure
    ]
    known = [row for row in facts.doses if row["messages"] >= _FEWEST]
    doses = [
        course(
            [_dose(row, outcome) for row in known],
            title=title,
            axes=("Which message it was to its person within 7 days", f"{word}, %"),
            note=f"Lines: 95 % intervals. Numbers of at least {_FEWEST} messages.",
        )
        for outcome, title, word in (
            ("click", "Clicks by the n-th message of a week", "Clicked by a person"),
            ("unsubscribe", "Unsubscribes by the n-th message of a week", "Unsubscribed through"),
        )
    ]
    distribution = course(
        people,
        title="People by messages received in 14 days",
        axes=("Messages received in 14 days", "People"),
    )
    return [figure for figure in (distribution, *doses, _caused(facts)) if figure]


def _caused(facts: Facts) -> str:
    return forest(
        [
            Interval(
                label=f"{row['arm']}, {_band(row['pressure_band'])}: {row['label']}",
                value=100 * row["effect"],
                low=100 * row["ci_low"],
                high=100 * row["ci_high"],
            )
            for row in facts.dose_effects
            if row["pressure_band"] in ("all", "many") and row["control_people"] >= _FEWEST
        ],
        title="Unsubscribes that messages caused",
        unit="People who unsubscribed, percentage points",
        note="Against people held out at random, so this is an effect. Lines: 95 % intervals.",
    )


def _band(band: str) -> str:
    return "everyone" if band == "all" else "much pressure before"


def _dose(row: dict[str, float], outcome: str) -> Point:
    name = f"{outcome}_rate"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return Point(
        _at(int(row["message_number"]), is_last=bool(row["is_or_more"])),
        100 * row[name],
        None if low is None else 100 * low,
        None if high is None else 100 * high,
    )


def _at(number: int, *, is_last: bool) -> str:
    return f"{number}+" if is_last else str(number)


def size_figures(facts: Facts) -> list[str]:
    """Sizes now, and their courses: of those outside their band, else of the largest."""
    now = bars(
        [(audience.label, audience.people) for audience in facts.audiences],
        title="People in each audience now",
        unit="People",
    )
    told = [audience for audience in facts.audiences if len(audience.sizes) > 1]
    told.sort(key=lambda audience: (not audience.is_outside, -audience.people))
    courses = [size_course(audience) for audience in told[:_MOST_COURSES]]
    return [figure for figure in (now, *courses) if figure]


def size_course(audience: Audience) -> str:
    """The size of one audience over its days, each new version of its definition marked."""
    marks = [
        Mark(later.observed_on, f"version {later.version}")
        for earlier, later in zip(audience.sizes, audience.sizes[1:], strict=False)
        if earlier.version != later.version
    ]
    return course(
        [Point(size.observed_on, size.people) for size in audience.sizes],
        title=f"People in {audience.label}",
        axes=("Day of the build", "People"),
        marks=marks,
        note="Orange: another version of its definition." if marks else "",
    )
