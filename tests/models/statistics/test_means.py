"""Two means from their sums, against scipy, tea-tasting and published results."""

import math
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import scipy
from evidence import CONTROL, MENS, WOMENS, WOMENS_AS_CONTROL, Compute, Row, close, sums
from tea_tasting import Mean
from tea_tasting.aggr import Aggregates


def test_moments_come_from_sums(compute: Compute) -> None:
    random = np.random.default_rng(1)
    x = random.normal(3, 2, 50)
    y = random.gamma(1, 3, 50) + x
    [answer] = compute("moments", ({"x": a, "y": b} for a, b in zip(x, y, strict=True)))
    assert answer["mean"] == close(y.mean())
    assert answer["variance"] == close(y.var(ddof=1))
    assert answer["population_variance"] == close(y.var())
    assert answer["covariance"] == close(np.cov(x, y)[0, 1])
    assert answer["population_covariance"] == close(np.cov(x, y, ddof=0)[0, 1])
    assert answer["third"] == close(((y - y.mean()) ** 3).mean())


def test_one_person_has_no_variance(compute: Compute) -> None:
    [answer] = compute("moments", [{"x": 1.0, "y": 2.0}])
    assert answer["mean"] == 2
    assert answer["variance"] is None
    assert answer["covariance"] is None


def test_a_constant_has_no_variance_whatever_rounding_says(compute: Compute) -> None:
    # 0.1 added ten times is not 1: the raw formula leaves 1e-17 or a negative number.
    for people in [2, 3, 10, 1000]:
        [answer] = compute("moments", [{"x": 1.0, "y": 0.1}] * people)
        assert answer["variance"] == 0


def test_welch_gives_the_published_lift_of_hillstrom(compute: Compute) -> None:
    mens, womens = compute("welch", [{**MENS, **CONTROL}, {**WOMENS, **CONTROL}])
    assert mens["mean_c"] == close(0.6527893551112361)
    assert mens["variance_t"] == close(315.21179886555484)
    assert mens["effect"] == close(0.7698271558945368)
    assert mens["standard_error"] == close(0.14524656024868676)
    assert mens["degrees_of_freedom"] == close(36671.15797736051)
    assert mens["t_statistic"] == close(5.300140358411669)
    assert mens["p_value"] == close(1.163814968225482e-07)
    assert mens["ci_low"] == close(0.4851397325684076)
    assert mens["ci_high"] == close(1.0545145792206658)
    assert womens["effect"] == close(0.4244122159365967)
    assert womens["p_value"] == close(1.129397e-03, 1e-6)
    assert womens["ci_low"] == close(0.16895679, 1e-7)
    assert womens["ci_high"] == close(0.67986764, 1e-7)


def test_welch_is_exact_for_a_handful_of_people(compute: Compute) -> None:
    # Treated: 8 people, mean 12, deviation 5; control: 12 people, mean 10, deviation 3.
    rows = {"n_t": 8, "sum_y_t": 96, "sum_yy_t": 1327, "n_c": 12, "sum_y_c": 120, "sum_yy_c": 1299}
    [answer] = compute("welch", [rows])
    assert answer["standard_error"] == close(1.9685019685029528)
    assert answer["degrees_of_freedom"] == close(10.38262943735092)
    assert answer["p_value"] == close(0.33271997879479803)
    assert answer["ci_low"] == close(-2.3642840510362593)
    assert answer["ci_high"] == close(6.364284051036259)


def test_welch_agrees_with_tea_tasting_on_the_same_sums(compute: Compute) -> None:
    random = np.random.default_rng(7)
    samples = [
        (random.gamma(0.5, 30, people), random.gamma(0.5, 25, controls))
        for people, controls in [(2, 2), (3, 40), (40, 3), (500, 20), (2000, 2000)]
    ]
    answers = compute("welch", (sums(y_t, y_c) for y_t, y_c in samples))
    for (y_t, y_c), answer in zip(samples, answers, strict=True):
        arms = [
            Aggregates(count_=len(y), mean_={"y": y.mean()}, var_={"y": y.var(ddof=1)}, cov_={})
            for y in (y_c, y_t)
        ]
        expected = Mean("y", equal_var=False).analyze_aggregates(*arms)
        assert answer["effect"] == close(expected.effect_size)
        assert answer["ci_low"] == close(expected.effect_size_ci_lower)
        assert answer["ci_high"] == close(expected.effect_size_ci_upper)
        assert answer["p_value"] == close(expected.pvalue)
        assert answer["relative_effect"] == close(expected.rel_effect_size)


def test_welch_takes_exact_decimals_as_models_sum_them(compute: Compute) -> None:
    row = {name: Decimal(str(round(value, 6))) for name, value in {**MENS, **CONTROL}.items()}
    row |= {"n_t": 21307, "n_c": 21306}
    [answer] = compute("welch", [row])
    assert answer["p_value"] == close(1.163814968225482e-07)


def test_the_interval_excludes_zero_exactly_when_the_test_rejects(compute: Compute) -> None:
    random = np.random.default_rng(11)
    rows = []
    for _ in range(400):
        people, controls = random.integers(2, 60, 2)
        shift = random.normal(0, 0.5)
        rows.append(sums(random.normal(2 + shift, 1, people), random.gamma(2, 1, controls)))
    answers = compute("welch", rows)
    rejected = [row["p_value"] < 0.05 for row in answers]
    excluded = [row["ci_low"] > 0 or row["ci_high"] < 0 for row in answers]
    assert rejected == excluded
    assert 20 < sum(rejected) < 380
    assert all(0 <= row["p_value"] <= 1 for row in answers)


def test_without_spread_or_people_there_is_no_test_and_no_interval(compute: Compute) -> None:
    usual = {"n_t": 8, "sum_y_t": 4.0, "sum_yy_t": 4.0, "n_c": 9, "sum_y_c": 3.0, "sum_yy_c": 3.0}
    changes: dict[str, Row] = {
        "nothing amiss": {},
        "no spread": {"sum_y_t": 8.0, "sum_yy_t": 8.0, "sum_y_c": 0.0, "sum_yy_c": 0.0},
        "no spread but rounding": {"sum_y_t": 0.8, "sum_yy_t": 0.08, "sum_y_c": 0, "sum_yy_c": 0},
        "one person treated": {"n_t": 1, "sum_y_t": 3.0, "sum_yy_t": 9.0},
        "one person held out": {"n_c": 1, "sum_y_c": 3.0, "sum_yy_c": 9.0},
        "nobody held out": {"n_c": 0, "sum_y_c": 0.0, "sum_yy_c": 0.0},
        "nobody treated": {"n_t": 0, "sum_y_t": None, "sum_yy_t": None},
    }
    names = ["standard_error", "t_statistic", "p_value", "ci_low", "ci_high"]
    names += ["relative_ci_low", "relative_ci_high"]
    answers = compute("welch", [{**usual, **change} for change in changes.values()])
    known = {
        why: [name for name in names if answer[name] is not None]
        for why, answer in zip(changes, answers, strict=True)
    }
    assert known.pop("nothing amiss")[:5] == names[:5]
    assert known == {why: [] for why in known}


def test_one_arm_without_spread_is_still_tested(compute: Compute) -> None:
    row = {"n_t": 8, "sum_y_t": 4, "sum_yy_t": 4, "n_c": 9, "sum_y_c": 0, "sum_yy_c": 0}
    [answer] = compute("welch", [row])
    assert answer["degrees_of_freedom"] == close(7)
    t = answer["effect"] / answer["standard_error"]
    assert answer["p_value"] == close(2 * scipy.stats.t.sf(t, 7))


def test_effects_without_degrees_of_freedom_are_tested_as_normal(compute: Compute) -> None:
    rows = [
        {"effect": 2.0, "standard_error": 0.9, "degrees_of_freedom": None},
        {"effect": 2.0, "standard_error": 0.9, "degrees_of_freedom": 6.5},
        {"effect": 2.0, "standard_error": 0.0, "degrees_of_freedom": 6.5},
    ]
    normal, student, unknown = compute("inference", rows)
    assert normal["p_value"] == close(2 * scipy.stats.norm.sf(2 / 0.9))
    assert normal["ci_low"] == close(2 - scipy.stats.norm.ppf(0.95) * 0.9)
    assert student["p_value"] == close(2 * scipy.stats.t.sf(2 / 0.9, 6.5))
    assert student["ci_high"] == close(2 + scipy.stats.t.ppf(0.95, 6.5) * 0.9)
    assert unknown["p_value"] is None
    assert unknown["ci_low"] is None


def test_relative_lift_by_fieller_delta_and_logarithm(compute: Compute) -> None:
    rows = [{**MENS, **CONTROL}, {**WOMENS, **CONTROL}, {**MENS, **WOMENS_AS_CONTROL}]
    expected = [
        {
            "relative_effect": 1.1792887703620063,
            "delta_standard_error": 0.32397689741846725,
            "log_standard_error": 0.1486617569110177,
            "log_low": 0.6284471336957698,
            "log_high": 1.9164591507784379,
            "fieller_g": 0.056817231966623,
            "relative_ci_low": 0.6436904379366633,
            "relative_ci_high": 1.9774473610628336,
        },
        {
            "relative_effect": 0.6501518638646862,
            "delta_standard_error": 0.2556293230465503,
            "log_standard_error": 0.1549126044968138,
            "log_low": 0.2180414462370579,
            "log_high": 1.2355570758518688,
            "fieller_g": 0.056817231966623,
            "relative_ci_low": 0.22417278686351616,
            "relative_ci_high": 1.2749408945821377,
        },
        {
            "relative_effect": 0.320659521153448,
            "delta_standard_error": 0.16972999106814804,
            "log_standard_error": 0.1285191136318829,
            "log_low": 0.026585672737995836,
            "log_high": 0.6989732246715199,
            "fieller_g": 0.03536977041126874,
            "relative_ci_low": 0.02693105869042456,
            "relative_ci_high": 0.7112363357038178,
        },
    ]
    for answer, wanted in zip(compute("welch", rows), expected, strict=True):
        assert {name: answer[name] for name in wanted} == close(wanted)
        assert answer["low_at_two"] < answer["relative_ci_low"]
        assert answer["high_at_two"] > answer["relative_ci_high"]


def test_fiellers_bounds_are_the_ratios_the_test_cannot_reject(compute: Compute) -> None:
    [answer] = compute("welch", [{**MENS, **CONTROL}])
    for bound in ("relative_ci_low", "relative_ci_high"):
        ratio = answer[bound] + 1
        gap = answer["mean_t"] - ratio * answer["mean_c"]
        error = math.sqrt(answer["variance_of_mean_t"] + ratio**2 * answer["variance_of_mean_c"])
        assert abs(gap) / error == close(1.959963984540054)


def test_there_is_no_relative_lift_over_nothing_or_a_loss(compute: Compute) -> None:
    row = {**MENS, **CONTROL, "n_c": 10, "sum_yy_c": 200.0}
    for answer in compute("welch", [{**row, "sum_y_c": 0.0}, {**row, "sum_y_c": -40.0}]):
        assert answer["p_value"] is not None
        for name in ["relative_effect", "fieller_g", "relative_ci_low", "relative_ci_high"]:
            assert answer[name] is None
        assert answer["log_low"] is None


def test_a_control_not_told_from_zero_has_no_relative_interval(compute: Compute) -> None:
    row = {**MENS, "n_c": 50, "sum_y_c": 10.0, "sum_yy_c": 100.0}
    [answer] = compute("welch", [row])
    assert answer["fieller_g"] > 1
    assert answer["relative_effect"] is not None
    assert answer["relative_ci_low"] is None
    assert answer["relative_ci_high"] is None


def test_hillstroms_people_give_the_published_lift(compute: Compute, real_data: Path) -> None:
    with duckdb.connect() as connection:
        connection.read_csv(str(real_data / "hillstrom/hillstrom.csv.gz")).create_view("people")
        totals = connection.sql(
            """
            select segment, count(*) as n, sum(spend) as sum_y, sum(spend * spend) as sum_yy
            from people
            group by segment
            """
        ).fetchall()
    arms = {segment: values for segment, *values in totals}
    row = dict(zip(["n_t", "sum_y_t", "sum_yy_t"], arms["Mens E-Mail"], strict=True))
    row |= dict(zip(["n_c", "sum_y_c", "sum_yy_c"], arms["No E-Mail"], strict=True))
    [answer] = compute("welch", [row])
    assert answer["effect"] == close(0.7698271558945368)
    assert answer["standard_error"] == close(0.14524656024868676)
    assert answer["relative_ci_high"] == close(1.9774473610628336)
