"""Curves of time to the next order, and what a plan takes, against lifelines and statsmodels."""

import pytest
from evidence import Compute, Row, close

# Durations and whether they ended in an order; the arms of a published toy.
_CONTROL = ([5, 8, 12, 12, 15, 20, 21, 30, 30, 30], [1, 0, 1, 1, 0, 1, 1, 0, 0, 0])
_TREATED = ([7, 9, 10, 18, 22, 25, 28, *[30] * 5], [1, 1, 0, 1, 0, 1, 0, *[0] * 5])


def _exits(arm: str, durations: list[int], events: list[int], horizon: int = 30) -> list[Row]:
    return [
        {
            "arm": arm,
            "duration": duration,
            "horizon": horizon,
            "exits": float(durations.count(duration)),
            "events": float(
                sum(e for d, e in zip(durations, events, strict=True) if d == duration)
            ),
        }
        for duration in sorted(set(durations))
    ]


def test_the_curve_and_its_mean_are_those_of_lifelines(compute: Compute) -> None:
    answers = compute("survival", _exits("c", *_CONTROL) + _exits("t", *_TREATED))
    control = [row for row in answers if row["arm"] == "c"]
    treated = [row for row in answers if row["arm"] == "t"]
    assert control[-1]["survival"] == close(0.405)
    assert treated[-1]["survival"] == close(0.6349206349206349)
    for row in control:
        assert row["restricted_mean"] == close(20.885)
        assert row["restricted_mean_variance"] == close(8.614591875)
    for row in treated:
        assert row["restricted_mean"] == close(24.6931217, 1e-8)
        assert row["restricted_mean_variance"] == close(5.8688220503)


def test_once_everyone_has_ordered_the_curve_is_at_nothing(compute: Compute) -> None:
    answers = compute("survival", _exits("all", [2, 4, 4], [1, 1, 1]))
    assert [row["survival"] for row in answers] == [close(2 / 3), 0]
    assert answers[0]["restricted_mean"] == close(2 + 2 * 2 / 3)


def test_beyond_the_last_person_followed_there_is_no_mean(compute: Compute) -> None:
    answers = compute("survival", _exits("young", [2, 4], [1, 0]))
    assert [row["restricted_mean"] for row in answers] == [None, None]


def test_plans_take_as_many_people_as_statsmodels_says(compute: Compute) -> None:
    plan = {"deviation": 15.0, "difference": 0.6097451, "rate_c": 0.0057, "rate_t": 0.00627}
    small, even, held_out, unsplit = compute(
        "power",
        [
            plan | {"n_c": 5000, "n_t": 95000, "ratio": 19.0},
            plan | {"n_c": 5000, "n_t": 5000, "ratio": 1.0},
            plan | {"n_c": 5000, "n_t": 95000, "ratio": 9.0},
            plan | {"n_c": 0, "n_t": 95000, "ratio": None},
        ],
    )
    assert small["detectable"] == close(0.6097451, 1e-6)
    assert even["detectable"] == close(0.8404756, 1e-6)
    assert small["people_for_means"] == close(5000, 1e-6)
    assert round(small["people_for_rates"]) == pytest.approx(144837, abs=1)
    assert round(even["people_for_rates"]) == pytest.approx(287435, abs=1)
    assert round(held_out["people_for_rates"]) == pytest.approx(153640, abs=1)
    assert unsplit["detectable"] is None
