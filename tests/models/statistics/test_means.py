"""Two means from their sums, against scipy and published results."""

import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pytest
import scipy
import vectors_of_means
from evidence import CONTROL, MENS, WOMENS, Compute, Row, close, sums


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


# The published table: an arm against no e-mail, each mean with its interval and p-value, and the
# relative lift with its interval by logarithm and by the delta method. Rates are in points.
_LIFTS = {
    "mens visits": (
        3894,
        3894,
        2262,
        2262,
        "7.659 6.995 8.323",
        1.4e-112,
        "72.1 64.0 80.6 63.8 80.4",
    ),
    "mens orders": (
        267,
        267,
        122,
        122,
        "0.6805 0.500 0.861",
        1.5e-13,
        "118.8 76.8 170.9 72.2 165.5",
    ),
    "womens visits": (
        3238,
        3238,
        2262,
        2262,
        "4.523 3.889 5.157",
        2.4e-44,
        "42.6 35.6 50.0 35.4 49.8",
    ),
    "womens orders": (189, 189, 122, 122, "0.3111 0.150 0.472", 1.6e-4, "54.3 23.0 93.6 19.3 89.3"),
}


@pytest.mark.parametrize("which", _LIFTS)
def test_rates_are_lifted_as_in_the_published_table(compute: Compute, which: str) -> None:
    *counts, points, p_value, percents = _LIFTS[which]
    names = ("sum_y_t", "sum_yy_t", "sum_y_c", "sum_yy_c")
    arms = {"n_t": 21307 if which.startswith("mens") else 21387, "n_c": 21306}
    [answer] = compute("welch", [arms | dict(zip(names, counts, strict=True))])
    assert answer["p_value"] == pytest.approx(p_value, rel=0.05)
    _is_printed(answer, ("effect", "ci_low", "ci_high"), points)
    lifts = ("relative_effect", "log_low", "log_high", "delta_low", "delta_high")
    _is_printed(answer, lifts, percents)


def test_spend_is_lifted_as_in_the_published_table(compute: Compute) -> None:
    rows = [{**MENS, **CONTROL}, {**WOMENS, **CONTROL}]
    mens, womens = compute("welch", rows)
    lifts = ("relative_effect", "log_low", "log_high", "delta_low", "delta_high")
    _is_printed(mens, lifts, "117.9 62.8 191.6 54.4 181.4")
    _is_printed(womens, lifts, "65.0 21.8 123.6 14.9 115.1")
    assert womens["standard_error"] == close(0.13033285852919116)
    assert womens["degrees_of_freedom"] == pytest.approx(40064.8844, abs=5e-5)
    assert womens["p_value"] == pytest.approx(1.129397e-03, abs=5e-10)
    assert womens["ci_low"] == pytest.approx(0.16895679, abs=5e-9)
    assert womens["ci_high"] == pytest.approx(0.67986764, abs=5e-9)


def _is_printed(answer: Row, names: Sequence[str], text: str) -> None:
    """Whether the numbers, in hundredths, are these to the decimals that are printed."""
    for name, printed in zip(names, text.split(), strict=True):
        decimals = len(printed.partition(".")[2])
        assert 100 * answer[name] == pytest.approx(float(printed), abs=0.5001 * 10**-decimals)


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


def test_fiellers_bounds_lie_further_out_the_surer_they_are_to_be(compute: Compute) -> None:
    for answer in compute("welch", [{**MENS, **CONTROL}, {**WOMENS, **CONTROL}]):
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


def test_the_sums_are_those_of_hillstroms_people(real_data: Path) -> None:
    with duckdb.connect() as connection:
        connection.read_csv(str(real_data / "hillstrom/hillstrom.csv.gz")).create_view("people")
        totals = connection.sql(
            """
            select
                segment, count(*), sum(spend), sum(spend * spend), sum(power(spend, 3)),
                sum(history), sum(history * history), sum(spend * history),
                sum(visit), sum(visit * history), sum(conversion)
            from people
            group by segment
            """
        ).fetchall()
    arms = {segment: values for segment, *values in totals}
    for arm, spend, others, orders in (
        ("Mens E-Mail", MENS, vectors_of_means.HISTORY, 267),
        ("No E-Mail", CONTROL, vectors_of_means.HISTORY, 122),
    ):
        end = "_t" if arm == "Mens E-Mail" else "_c"
        sums = others | vectors_of_means.SPEND | spend
        names = ("n", "sum_y", "sum_yy", "sum_yyy", "sum_x", "sum_xx", "sum_xy")
        known = [sums[name + end] for name in names]
        known += [vectors_of_means.VISIT[name + end] for name in ("sum_y", "sum_xy")]
        assert arms[arm] == close([*known, orders])
    assert arms["Womens E-Mail"][:4] == close(list(WOMENS.values()))
