"""Numbers in the words a retention lead would use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cio.report.facts import Facts, Lift

_UNITS = {
    "conversion_rate": (100.0, "points of people ordering"),
    "orders_per_person": (100.0, "orders per 100 people"),
    "revenue_per_person": (1.0, "revenue per person"),
    "net_revenue_per_person": (1.0, "net revenue per person"),
}


def effect_words(lift: Lift) -> str:
    """An effect with its interval and unit: `+4.20 points of people ordering [2.10, 6.30]`."""
    factor, unit = _UNITS.get(lift.metric, (1.0, lift.metric.replace("_", " ")))
    if lift.effect is None:
        return "—"
    words = f"{lift.effect * factor:+.2f} {unit}"
    if lift.ci_low is None or lift.ci_high is None:
        return words
    return f"{words} [{lift.ci_low * factor:.2f}, {lift.ci_high * factor:.2f}]"


def headline(facts: Facts) -> str:
    """One sentence on what messages caused, or why nothing can be said of it."""
    measured = [
        lift for lift in facts.lifts if lift.metric == "conversion_rate" and lift.effect is not None
    ]
    helping = [lift for lift in measured if lift.verdict == "helps"]
    if not measured:
        return "No random holdout, no lift: nothing here can say what messages cause yet."
    if not helping:
        return f"Of {len(measured)} measured arms none clearly makes more people order."
    best = max(helping, key=lambda lift: lift.effect or 0.0)
    return (
        f"{len(helping)} of {len(measured)} measured arms make more people order; the most, "
        f"{best.label} ({best.arm}), by {effect_words(best)}."
    )
