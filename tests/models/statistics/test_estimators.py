"""Proportions, skewed spend, covariates, ratios and compliers, where little is known of them."""

import math

import pytest
from evidence import Compute, close
from vectors_of_means import HISTORY, ORDER_VALUE, SPEND
from vectors_of_plans import NEW_HAVEN


def test_newcombe_stays_inside_minus_one_and_one_where_nobody_or_everybody_converts(
    compute: Compute,
) -> None:
    rows = [
        {"x_t": 0, "n_t": 20, "x_c": 0, "n_c": 5},
        {"x_t": 20, "n_t": 20, "x_c": 0, "n_c": 5},
    ]
    nobody, everybody = compute("proportions", rows)
    assert -1 <= nobody["low"] < 0 < nobody["high"] <= 1
    assert nobody["z"] is None
    assert 0 < everybody["low"] < everybody["high"] <= 1
    [empty] = compute("proportions", [{"x_t": 0, "n_t": 0, "x_c": 0, "n_c": 5}])
    assert empty["low"] is None


def test_halls_interval_becomes_the_plain_one_without_a_jump_as_skew_vanishes(
    compute: Compute,
) -> None:
    kappas = [0.0, 1e-12, 1e-6, 4.9e-4, 5.2e-4, -4.9e-4, -5.2e-4, 0.03]
    rows = [{"effect": 1.0, "standard_error": 0.25, "kappa": kappa} for kappa in kappas]
    z = 1.959963984540054
    for kappa, answer in zip(kappas, compute("hall_from_kappa", rows), strict=True):
        plain = {"ci_low": 1 - z / 4, "ci_high": 1 + z / 4}
        if kappa:
            plain = {"ci_low": 1 - _hall(z, kappa) / 4, "ci_high": 1 - _hall(-z, kappa) / 4}
        assert answer == pytest.approx(plain, rel=1e-12 if abs(kappa) in {0, 0.03} else 1e-9)


def _hall(y: float, kappa: float) -> float:
    inside = kappa * (y - kappa / 6)
    return 3 / kappa * math.expm1(math.log1p(inside) / 3)


def test_a_covariate_that_does_not_vary_adjusts_nothing(compute: Compute) -> None:
    same = {"sum_x_t": 0.1 * 21307, "sum_xx_t": 0.01 * 21307}
    same |= {"sum_x_c": 0.1 * 21306, "sum_xx_c": 0.01 * 21306}
    same |= {"sum_xy_t": 0.1 * 30311.69, "sum_xy_c": 0.1 * 13908.33}
    [answer] = compute("cuped", [HISTORY | SPEND | same])
    assert answer["theta"] == 0
    assert answer["effect"] == close(0.7698271558945368)
    assert answer["standard_error"] == close(0.14524656024868676)
    [unknown] = compute("cuped", [HISTORY | SPEND | {"sum_x_c": None}])
    assert unknown["effect"] is None
    assert unknown["p_value"] is None


def test_there_is_no_ratio_over_nothing(compute: Compute) -> None:
    nothing = {"m_c": 0, "mm_c": 0, "md_c": 0, "d_c": 0}
    [answer] = compute("ratio", [ORDER_VALUE | nothing])
    assert answer["effect"] is None
    assert answer["p_value"] is None


def test_deliveries_of_all_who_were_assigned_divide_by_enough(compute: Compute) -> None:
    [answer] = compute("cace", [NEW_HAVEN])
    assert answer["is_strong"]


def test_an_effect_on_compliers_is_refused_where_assignment_hardly_changed_delivery(
    compute: Compute,
) -> None:
    row = {"n_t": 1445, "y_t": 598, "d_t": 395, "yd_t": 215}
    row |= {"n_c": 1445, "y_c": 540, "d_c": 380, "yd_c": 200}
    weak, none, all_delivered = compute(
        "cace",
        [
            row,
            {**row, "d_c": 395},
            {**row, "d_t": 1445, "yd_t": 598, "d_c": 0, "yd_c": 0},
        ],
    )
    assert not weak["is_strong"]
    assert none["effect"] is None
    assert none["standard_error"] is None
    assert all_delivered["is_strong"]
    assert all_delivered["effect"] == close(58 / 1445)
