"""Curves of time to the next order where they end, and plans of people."""

from evidence import Compute, close
from vectors_of_plans import PLAN
from vectors_of_segments import curve


def test_once_everyone_has_ordered_the_curve_is_at_nothing(compute: Compute) -> None:
    answers = compute("survival", curve("all", [2, 4, 4], [1, 1, 1]))
    assert [row["survival"] for row in answers] == [close(2 / 3), 0]
    assert answers[0]["restricted_mean"] == close(2 + 2 * 2 / 3)


def test_beyond_the_last_person_followed_there_is_no_mean(compute: Compute) -> None:
    answers = compute("survival", curve("young", [2, 4], [1, 0]))
    assert [row["restricted_mean"] for row in answers] == [None, None]


def test_a_curve_of_nobody_who_ordered_or_of_everybody_has_no_interval(compute: Compute) -> None:
    answers = compute("survival", curve("all", [2, 4, 5], [0, 1, 1]))
    known = [row["duration"] for row in answers if row["ci_low"] is not None]
    assert known == [4]


def test_with_the_people_it_takes_an_effect_is_found_as_often_as_planned(compute: Compute) -> None:
    plan = PLAN | {"deviation": 15.0, "difference": 0.7, "rate_c": 0.0057, "rate_t": 0.00627}
    plans = [plan | {"ratio": ratio} for ratio in (19.0, 1.0, 9.0)]
    takes = compute("power", plans)
    for name, found in (("people_for_means", "found_means"), ("people_for_rates", "found_rates")):
        peopled = [
            one | {"n_c": people[name], "n_t": people[name] * one["ratio"]}
            for one, people in zip(plans, takes, strict=True)
        ]
        answers = compute("power", peopled)
        assert [answer[found] for answer in answers] == [close(0.8)] * 3
        if name == "people_for_means":
            assert [answer["detectable"] for answer in answers] == [close(0.7)] * 3


def test_there_is_no_plan_of_nobody(compute: Compute) -> None:
    [nobody] = compute("power", [PLAN | {"n_c": 0, "ratio": None}])
    assert {value for name, value in nobody.items() if not name.startswith("found_rates")} == {None}


def test_a_lift_beyond_everyone_is_no_mistake(compute: Compute) -> None:
    [beyond] = compute("power", [PLAN | {"rate_c": 0.999, "rate_t": 1.4}])
    assert beyond["found_rates"] is None
