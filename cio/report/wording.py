"""Numbers in the words a retention lead would use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cio.report.facts import Facts, Lift

# what one unit of the metric is shown as, and what that is called
UNITS = {
    "conversion_rate": (100.0, "points of people ordering"),
    "orders_per_person": (100.0, "orders per 100 people"),
    "revenue_per_person": (1.0, "revenue per person"),
    "net_revenue_per_person": (1.0, "net revenue per person"),
    "margin_per_person": (1.0, "margin per person"),
}
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


def effect_words(lift: Lift) -> str:
    """An effect with its interval and unit: `+4.20 points of people ordering [2.10, 6.30]`."""
    factor, unit = UNITS.get(lift.metric, (1.0, spoken(lift.metric)))
    if lift.effect is None:
        return "—"
    words = f"{lift.effect * factor:+.2f} {unit}"
    if lift.ci_low is None or lift.ci_high is None:
        return words
    return f"{words} [{lift.ci_low * factor:.2f}, {lift.ci_high * factor:.2f}]"


def lift_sentence(lift: Lift) -> str:
    """What an effect on the share who order means in people, in words; empty for other metrics."""
    if lift.metric != "conversion_rate" or lift.effect is None or lift.control_mean is None:
        return ""
    without = 1000 * lift.control_mean
    moved = 1000 * lift.effect
    word = "more" if moved >= 0 else "fewer"
    certain = {
        "helps": "That is more than chance would do.",
        "hurts": "That is more than chance would do.",
        "too early": "It is too early to tell.",
    }.get(lift.verdict, "Chance alone could do that.")
    return (
        f"Of 1,000 people, {without:.0f} order without these messages; with them "
        f"{abs(moved):.0f} {word}. {certain}"
    )


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
        f"{best.label} ({best.arm}): {1000 * (best.effect or 0.0):.0f} more of every 1,000 people."
    )


def cleared(facts: Facts) -> list[tuple[str, str]]:
    """Experiments whose primary question has an answer: what to do, and why.

    An interval that may be looked at every day, or a headline verdict, that excludes zero on the
    share of people who order asks for a decision on the holdout.
    """
    found = []
    for lift in facts.lifts:
        if lift.metric != "conversion_rate" or lift.verdict not in ("helps", "hurts"):
            continue
        advice = (
            "Keep sending; hold out fewer people if this no longer needs watching."
            if lift.verdict == "helps"
            else "Stop it, or change it and measure again."
        )
        found.append((f"{lift.label} ({lift.arm}) {lift.verdict}", advice))
    return found


def chance(value: float | None) -> str:
    """A p-value as it is commonly read."""
    if value is None:
        return "—"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004 - the customary limit


def how_long(seconds: float | None) -> str:
    """A duration in one unit: `45 s`, `12 min`, `3.5 h`, `2.1 days`."""
    if seconds is None:
        return "—"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - digits
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.1f} days"


def spoken(name: str) -> str:
    """A name of the warehouse as words: `sample_ratio` is `sample ratio`."""
    return name.replace("_", " ")
