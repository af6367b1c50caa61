"""Proportions, skewed spend, covariates, ratios and compliers, against published results."""

import math

import numpy as np
import pytest
from evidence import CONTROL, MENS, WOMENS, Compute, close
from tea_tasting import RatioOfMeans
from tea_tasting.aggr import Aggregates


def test_newcombe_is_as_published_in_large_small_and_rare_samples(compute: Compute) -> None:
    rows = [
        {"x_t": 267, "n_t": 21307, "x_c": 122, "n_c": 21306},
        {"x_t": 16, "n_t": 30, "x_c": 14, "n_c": 28},
        {"x_t": 209, "n_t": 19000, "x_c": 7, "n_c": 1000},
    ]
    expected = [
        (0.005014344671481532, 0.008640723396917826, 7.385114410925771),
        (-0.2110311284961098, 0.2724345142951782, 0.2538591035287969),
        (-0.0035076198998887816, 0.007938200985620147, 1.192800637027027),
    ]
    answers = compute("proportions", rows)
    assert [(row["low"], row["high"], row["z"]) for row in answers] == [
        close(values) for values in expected
    ]
    assert answers[0]["wilson_low"] == close(0.011122885010307802)
    assert answers[0]["wilson_high"] == close(0.014115041885257276)


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


def test_halls_correction_of_hillstroms_spend(compute: Compute) -> None:
    # The third row holds every 20th person of the control out: there the plain test says p = 0.013.
    few = {"n_c": 1066, "sum_y_c": 529.2, "sum_yy_c": 50309.1782, "sum_yyy_c": 5630186.266506}
    answers = compute("hall", [{**MENS, **CONTROL}, {**WOMENS, **CONTROL}, {**WOMENS, **few}])
    mens, womens, unequal = answers
    assert mens["third_t"] == close(100632.22676867923, 1e-8)
    assert mens["kappa"] == close(0.0428452662419527, 1e-8)
    assert mens["statistic"] == close(5.718599873226706, 1e-8)
    assert mens["p_value"] == close(1.0740538049197877e-08, 1e-6)
    assert mens["ci_low"] == close(0.4937486047184146, 1e-8)
    assert mens["ci_high"] == close(1.0639675233750574, 1e-8)
    assert womens["kappa"] == close(0.026458264219841713, 1e-8)
    assert womens["p_value"] == close(0.0007930839115783255, 1e-6)
    assert womens["ci_low"] == close(0.17381283974377565, 1e-8)
    assert womens["ci_high"] == close(0.6850028374751701, 1e-8)
    assert unequal["kappa"] == close(-0.34621196850150976, 1e-8)
    assert unequal["p_value"] == close(0.0748990886197457, 1e-6)
    assert unequal["ci_low"] == close(-0.08737659041020107, 1e-8)
    assert unequal["ci_high"] == close(0.9533068575581254, 1e-8)


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


_HISTORY = {
    "n_t": 21307,
    "sum_x_t": 5174105.18,
    "sum_xx_t": 2700687619.2752,
    "n_c": 21306,
    "sum_x_c": 5132245.81,
    "sum_xx_c": 2597172414.5563,
}
_SPEND = {
    "sum_y_t": 30311.69,
    "sum_yy_t": 6759024.4973,
    "sum_xy_t": 9857526.2586,
    "sum_y_c": 13908.33,
    "sum_yy_c": 2870050.3621,
    "sum_xy_c": 4267933.8399,
}
_VISIT = {
    "sum_y_t": 3894,
    "sum_yy_t": 3894,
    "sum_xy_t": 1092584.38,
    "sum_y_c": 2262,
    "sum_yy_c": 2262,
    "sum_xy_c": 652531.54,
}


def test_cuped_uses_what_people_spent_before(compute: Compute) -> None:
    spend, visit = compute("cuped", [{**_HISTORY, **_SPEND}, {**_HISTORY, **_VISIT}])
    assert spend["theta"] == close(0.0012228965198244435)
    assert spend["variance_t"] == close(315.02655782188685)
    assert spend["variance_c"] == close(134.27655236131)
    assert spend["effect"] == close(0.7674384994278026)
    assert spend["standard_error"] == close(0.14521504219411457)
    assert spend["degrees_of_freedom"] == close(36676.63648675951)
    assert spend["p_value"] == close(1.2653144672519346e-07)
    assert spend["ci_low"] == close(0.4828128537957849)
    assert spend["ci_high"] == close(1.0520641450598203)
    assert visit["theta"] == close(9.134195036168928e-05)
    assert visit["effect"] == close(0.07641114745941806)
    assert visit["standard_error"] == close(0.003378360480422942)
    assert visit["p_value"] == close(1.4398592970282286e-112, 1e-8)
    assert visit["ci_high"] == close(0.08303280974142938)


def test_a_covariate_that_does_not_vary_adjusts_nothing(compute: Compute) -> None:
    same = {"sum_x_t": 0.1 * 21307, "sum_xx_t": 0.01 * 21307}
    same |= {"sum_x_c": 0.1 * 21306, "sum_xx_c": 0.01 * 21306}
    same |= {"sum_xy_t": 0.1 * 30311.69, "sum_xy_c": 0.1 * 13908.33}
    [answer] = compute("cuped", [{**_HISTORY, **_SPEND, **same}])
    assert answer["theta"] == 0
    assert answer["effect"] == close(0.7698271558945368)
    assert answer["standard_error"] == close(0.14524656024868676)
    [unknown] = compute("cuped", [{**_HISTORY, **_SPEND, "sum_x_c": None}])
    assert unknown["effect"] is None
    assert unknown["p_value"] is None


def test_average_order_value_is_a_ratio_over_people(compute: Compute) -> None:
    row = {"n_t": 21307, "m_t": 30311.69, "mm_t": 6759024.4973, "d_t": 267, "dd_t": 267}
    row |= {"n_c": 21306, "m_c": 13908.33, "mm_c": 2870050.3621, "d_c": 122, "dd_c": 122}
    row |= {"md_t": 30311.69, "md_c": 13908.33}
    answer, nothing = compute("ratio", [row, {**row, "m_c": 0, "mm_c": 0, "md_c": 0, "d_c": 0}])
    assert answer["unit_t"] == close(991686.685625152)
    assert answer["unit_c"] == close(1838756.7712882971)
    assert answer["effect"] == close(-0.4757760790814416)
    assert answer["standard_error"] == close(11.525843270138976)
    assert answer["p_value"] == close(0.9670734194018822)
    assert answer["ci_low"] == close(-23.066013780007196)
    assert answer["ci_high"] == close(22.114461621844313)
    assert nothing["effect"] is None
    assert nothing["p_value"] is None


def test_the_ratio_agrees_with_tea_tasting(compute: Compute) -> None:
    random = np.random.default_rng(3)
    row: dict[str, object] = {}
    arms = []
    for arm, people in (("c", 300), ("t", 500)):
        d = random.poisson(1.2, people).astype(float)
        m = d * random.gamma(2, 20, people)
        row |= {f"n_{arm}": people, f"m_{arm}": m.sum(), f"d_{arm}": d.sum()}
        row |= {f"mm_{arm}": (m * m).sum(), f"dd_{arm}": (d * d).sum(), f"md_{arm}": (m * d).sum()}
        arms.append(
            Aggregates(
                count_=people,
                mean_={"m": m.mean(), "d": d.mean()},
                var_={"m": m.var(ddof=1), "d": d.var(ddof=1)},
                cov_={("d", "m"): np.cov(m, d)[0, 1]},
            )
        )
    metric = RatioOfMeans("m", "d", equal_var=False, use_t=False)
    expected = metric.analyze_aggregates(*arms)
    [answer] = compute("ratio", [row])
    assert answer["effect"] == close(expected.effect_size)
    assert answer["ci_low"] == close(expected.effect_size_ci_lower)
    assert answer["p_value"] == close(expected.pvalue)


def test_the_effect_on_compliers_is_that_of_two_stage_least_squares(compute: Compute) -> None:
    # Canvassing in New Haven: 395 of 1,445 people assigned could be reached.
    row = {"n_t": 1445, "y_t": 598, "d_t": 395, "yd_t": 215}
    row |= {"n_c": 5645, "y_c": 2119, "d_c": 0, "yd_c": 0}
    [answer] = compute("cace", [row])
    assert answer["effect"] == close(0.14071150676637786)
    assert answer["standard_error"] == close(0.05240146793868469)
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
