"""Normal, t and chi-square in SQL, against scipy."""

import math

import numpy as np
import pytest
import scipy
from evidence import Compute, close


def test_the_normal_distribution_keeps_its_digits_in_both_tails(compute: Compute) -> None:
    x = np.concatenate([np.linspace(-37, 37, 2961), [0.67448975, 5.656854249492380, 40, -40, 1e6]])
    answers = compute("normal", ({"x": value} for value in x))
    assert [row["upper_tail"] for row in answers] == close(scipy.stats.norm.sf(x), 1e-12)
    assert [row["cdf"] for row in answers] == close(scipy.stats.norm.cdf(x), 1e-12)
    assert [row["two_sided"] for row in answers] == close(2 * scipy.stats.norm.sf(abs(x)), 1e-12)
    assert [row["density"] for row in answers] == close(scipy.stats.norm.pdf(x), 1e-12)


def test_the_normal_quantile_is_exact_from_the_centre_to_1e_300(compute: Compute) -> None:
    p = np.concatenate([10.0 ** -np.linspace(0.302, 300, 500), np.linspace(0.501, 0.999, 300)])
    answers = compute("normal_quantile", ({"p": value} for value in p))
    assert [row["quantile"] for row in answers] == close(scipy.stats.norm.ppf(p), 1e-12)
    assert answers[0]["usual"] == close(1.959963984540054, 1e-15)
    assert answers[0]["unusual"] == close(scipy.stats.norm.ppf(0.9875), 1e-12)


def test_there_is_no_normal_quantile_outside_0_and_1(compute: Compute) -> None:
    answers = compute("normal_quantile", ({"p": value} for value in [-0.1, 0.0, 1.0, 2.0, None]))
    assert {row["quantile"] for row in answers} == {None}


_DEGREES = [1, 1.3, 2, 2.5, 3, 4, 5, 7.3, 10, 20, 30, 50, 100, 1e3, 36671.157977, 1e5, 1e6, 1e7]


def test_the_t_distribution_is_exact_for_any_degrees_of_freedom(compute: Compute) -> None:
    t = [0, 0.001, 0.1, 0.5, 1, -1.5, 2, 2.5, 3, 4, -5, 7, 10, 15, 20, 25, 30, 1e4]
    rows = [{"t": float(value), "df": float(df)} for value in t for df in _DEGREES]
    expected = np.array([2 * scipy.stats.t.sf(abs(row["t"]), row["df"]) for row in rows])
    answers = np.array([row["p_value"] for row in compute("student_t_p", rows)])
    visible = expected > 1e-290  # scipy and double precision lose digits below
    assert answers[visible] == close(expected[visible], 1e-11)
    assert answers[~visible] == pytest.approx(0, abs=1e-290)


def test_the_t_quantile_is_exact_for_any_degrees_of_freedom(compute: Compute) -> None:
    p = [1e-6, 1e-5, 0.001, 0.005, 0.025, 0.05, 0.3, 0.49, 0.6, 0.75, 0.9, 0.95, 0.975, 0.9999]
    rows = [{"p": value, "df": float(df)} for value in p for df in _DEGREES]
    expected = [scipy.stats.t.ppf(row["p"], row["df"]) for row in rows]
    assert [row["t_quantile"] for row in compute("student_t_quantile", rows)] == close(expected)
    extreme = {"p": 1e-12, "df": 1.0}
    assert compute("student_t_quantile", [extreme])[0]["t_quantile"] == close(
        scipy.stats.t.ppf(1e-12, 1), 1e-8
    )


def test_the_t_distribution_says_nothing_where_it_is_not_defined(compute: Compute) -> None:
    rows = [{"t": 1.0, "df": 0.5}, {"t": 1.0, "df": None}, {"t": None, "df": 3.0}]
    assert {row["p_value"] for row in compute("student_t_p", rows)} == {None}
    rows = [{"p": 0.0, "df": 3.0}, {"p": 1.0, "df": 3.0}, {"p": None, "df": 3.0}]
    rows += [{"p": 0.9, "df": 0.9}, {"p": 0.9, "df": None}, {"p": 0.5, "df": 3.0}]
    *unknown, middle = [row["t_quantile"] for row in compute("student_t_quantile", rows)]
    assert set(unknown) == {None}
    assert middle == pytest.approx(0, abs=1e-12)


def test_the_chi_square_tail_has_a_closed_form_for_whole_degrees_of_freedom(
    compute: Compute,
) -> None:
    x = [0, 1e-6, 0.1, 0.5, 1, 2, 3.84, 10, 30, 100, 500, 1300]
    rows = [{"x": float(value), "df": df} for value in x for df in range(1, 31)]
    expected = [scipy.stats.chi2.sf(row["x"], row["df"]) for row in rows]
    assert [row["p"] for row in compute("chi_square", rows)] == close(expected, 1e-11)
    beyond = [{"x": 1.0, "df": 0}, {"x": 1.0, "df": 31}, {"x": None, "df": 2}]
    assert {row["p"] for row in compute("chi_square", beyond)} == {None}


def test_the_logarithm_of_gamma_is_exact(compute: Compute) -> None:
    x = [0.01, 0.5, 0.999, 1.5, 2.5, 5.0, 33.3, 1000.0, 64000.0]
    answers = [row["value"] for row in compute("log_gamma", ({"x": value} for value in x))]
    assert answers == pytest.approx([math.lgamma(value) for value in x], rel=1e-12, abs=1e-12)
