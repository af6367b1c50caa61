"""What changed lately, in sentences."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from cio.report.changes import Material, find_changes

SINCE = date(2026, 8, 25)
NOTHING = dict.fromkeys(("alerts", "lifts", "sizes", "channels", "messages"), ())


def words(**given: Any) -> list[str]:  # noqa: ANN401 - any of the material
    material = Material(**{"labels": {"cold": "CIO | Cold"}} | NOTHING | given)
    return [change.words for change in find_changes(material, since=SINCE)]


def size(day: int, people: int, version: int = 1) -> dict[str, Any]:
    seen = date(2026, 8, day)
    return {"audience": "cold", "observed_on": seen, "people": people, "version": version}


def look(day: int, low: float, high: float) -> dict[str, Any]:
    return {
        "label": "Cart",
        "arm": "messaged",
        "metric": "conversion_rate",
        "as_of_on": date(2026, 8, day),
        "effect": (low + high) / 2,
        "ci_low": low,
        "ci_high": high,
    }


def test_nothing_changes_where_nothing_is() -> None:
    assert words() == []


@pytest.mark.parametrize(
    ("people", "is_told"), [(100, False), (109, False), (110, True), (90, True), (91, False)]
)
def test_an_audience_is_told_from_a_tenth_on(people: int, is_told: bool) -> None:  # noqa: FBT001 - a case
    assert bool(words(sizes=[size(25, 100), size(31, people)])) is is_told


def test_a_tiny_audience_that_doubles_is_no_news() -> None:
    assert words(sizes=[size(25, 4), size(31, 8)]) == []


def test_a_new_definition_is_told_as_such_and_not_as_a_move() -> None:
    [told] = words(sizes=[size(25, 100), size(31, 500, version=2)])
    assert told == "CIO | Cold: version 2 of its definition; 100 people before, 500 now."


def test_a_day_exactly_at_the_limit_is_before() -> None:
    assert words(sizes=[size(24, 5), size(25, 100), size(26, 101)]) == []


def test_a_result_that_turned_clear_is_told() -> None:
    [told] = words(lifts=[look(25, -0.01, 0.05), look(31, 0.01, 0.05)])
    assert told == "Cart (messaged): +3.00 points of people ordering, now clearly above zero."


def test_a_result_that_stays_as_clear_as_it_was_is_not() -> None:
    assert words(lifts=[look(25, 0.01, 0.05), look(31, 0.02, 0.05)]) == []


def test_a_first_result_is_told() -> None:
    [told] = words(lifts=[look(31, -0.02, 0.04)])
    assert "a first result, +1.00 points" in told


def test_alerts_of_before_are_not_new() -> None:
    def alert(day: int, severity: str) -> dict[str, Any]:
        return {"since_at": datetime(2026, 8, day, 23, 59), "severity": severity}  # noqa: DTZ001 - naive UTC

    told = words(alerts=[alert(25, "high"), alert(26, "low"), alert(27, "high")])
    assert told == ["2 alerts are new, 1 of high severity; see above."]


def test_rates_stand_beside_those_of_before() -> None:
    row = {"channel": "in_app", "delivered": 200, "clicked": 10}
    [told] = words(channels=[row | {"delivered_before": 0, "clicked_before": 0}])
    assert told == "200 in-app messages received, 5.0 % clicked; in as long before, 0."
