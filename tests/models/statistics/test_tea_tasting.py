"""The macros beside tea-tasting, on the same sums: what both compute, both compute alike."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from evidence import Compute, Row, close, sums
from tea_tasting import Mean, Proportion, RatioOfMeans, SampleRatio, adjust_fdr, adjust_fwer
from tea_tasting.aggr import Aggregates
from tea_tasting.experiment import ExperimentResult

Values = npt.NDArray[np.float64]

P_VALUES = [0.0011293966, 0.00015602836, 0.03046865, 0.0205, 0.2, 0.04, 0.9, 0.04, 0.6]


def _aggregates(**columns: Values) -> Aggregates:
    """What tea-tasting takes of people's values: moments, and of each pair the covariance."""
    names = sorted(columns)
    return Aggregates(
        count_=len(columns[names[0]]),
        mean_={name: float(columns[name].mean()) for name in names},
        var_={name: float(columns[name].var(ddof=1)) for name in names},
        cov_={
            (one, other): float(np.cov(columns[one], columns[other])[0, 1])
            for number, one in enumerate(names)
            for other in names[number + 1 :]
        },
    )


def _samples() -> list[tuple[Values, Values]]:
    random = np.random.default_rng(7)
    return [
        (random.gamma(0.5, 30, people), random.gamma(0.5, 25, controls))
        for people, controls in [(2, 2), (3, 40), (40, 3), (500, 20), (2000, 2000)]
    ]


def test_the_difference_of_two_means(compute: Compute) -> None:
    samples = _samples()
    answers = compute("welch", (sums(y_t, y_c) for y_t, y_c in samples))
    for (y_t, y_c), answer in zip(samples, answers, strict=True):
        arms = (_aggregates(y=y_c), _aggregates(y=y_t))
        expected = Mean("y", equal_var=False).analyze_aggregates(*arms)
        assert answer["mean_c"] == close(expected.control)
        assert answer["mean_t"] == close(expected.treatment)
        assert answer["effect"] == close(expected.effect_size)
        assert answer["t_statistic"] == close(expected.statistic)
        assert answer["ci_low"] == close(expected.effect_size_ci_lower)
        assert answer["ci_high"] == close(expected.effect_size_ci_upper)
        assert answer["p_value"] == close(expected.pvalue)
        assert answer["relative_effect"] == close(expected.rel_effect_size)


def test_the_relative_lift_by_its_logarithm(compute: Compute) -> None:
    samples = _samples()
    answers = compute("welch", (sums(y_t, y_c) for y_t, y_c in samples))
    for (y_t, y_c), answer in zip(samples, answers, strict=True):
        arms = (_aggregates(y=y_c), _aggregates(y=y_t))
        expected = Mean("y", equal_var=False, use_t=False).analyze_aggregates(*arms)
        assert answer["log_low"] == close(expected.rel_effect_size_ci_lower)
        assert answer["log_high"] == close(expected.rel_effect_size_ci_upper)


def test_a_covariate_from_before(compute: Compute) -> None:
    random = np.random.default_rng(13)
    for people, controls in [(5, 4), (30, 200), (3000, 150)]:
        row: Row = {}
        arms = {}
        for arm, n in (("c", controls), ("t", people)):
            x = random.gamma(2, 10, n)
            y = 0.6 * x + random.gamma(0.5, 30, n)
            row |= {f"n_{arm}": n, f"sum_y_{arm}": y.sum(), f"sum_x_{arm}": x.sum()}
            row |= {f"sum_yy_{arm}": (y * y).sum(), f"sum_xx_{arm}": (x * x).sum()}
            row |= {f"sum_xy_{arm}": (x * y).sum()}
            arms[arm] = _aggregates(x=x, y=y)
        expected = Mean("y", "x", equal_var=False).analyze_aggregates(arms["c"], arms["t"])
        [answer] = compute("cuped", [row])
        assert answer["adjusted_c"] == close(expected.control)
        assert answer["adjusted_t"] == close(expected.treatment)
        assert answer["effect"] == close(expected.effect_size)
        assert answer["t_statistic"] == close(expected.statistic)
        assert answer["ci_low"] == close(expected.effect_size_ci_lower)
        assert answer["ci_high"] == close(expected.effect_size_ci_upper)
        assert answer["p_value"] == close(expected.pvalue)


def test_a_ratio_of_sums(compute: Compute) -> None:
    random = np.random.default_rng(3)
    row: Row = {}
    arms = {}
    for arm, people in (("c", 300), ("t", 500)):
        d = random.poisson(1.2, people).astype(float)
        m = d * random.gamma(2, 20, people)
        row |= {f"n_{arm}": people, f"m_{arm}": m.sum(), f"d_{arm}": d.sum()}
        row |= {f"mm_{arm}": (m * m).sum(), f"dd_{arm}": (d * d).sum(), f"md_{arm}": (m * d).sum()}
        arms[arm] = _aggregates(d=d, m=m)
    metric = RatioOfMeans("m", "d", equal_var=False, use_t=False)
    expected = metric.analyze_aggregates(arms["c"], arms["t"])
    [answer] = compute("ratio", [row])
    assert answer["ratio_c"] == close(expected.control)
    assert answer["ratio_t"] == close(expected.treatment)
    assert answer["effect"] == close(expected.effect_size)
    assert answer["z"] == close(expected.statistic)
    assert answer["ci_low"] == close(expected.effect_size_ci_lower)
    assert answer["ci_high"] == close(expected.effect_size_ci_upper)
    assert answer["p_value"] == close(expected.pvalue)


@pytest.mark.parametrize(
    ("x_t", "n_t", "x_c", "n_c"),
    [(267, 21307, 122, 21306), (16, 30, 14, 28), (209, 19000, 7, 1000), (1, 5, 1, 4)],
)
def test_two_proportions(compute: Compute, x_t: int, n_t: int, x_c: int, n_c: int) -> None:
    arms = [Aggregates(count_=n, mean_={"y": x / n}) for x, n in ((x_c, n_c), (x_t, n_t))]
    [answer] = compute("proportions", [{"x_t": x_t, "n_t": n_t, "x_c": x_c, "n_c": n_c}])
    # its default takes half a person off, which makes the test too careful
    pooled = Proportion("y", method="norm", correction=False).analyze_aggregates(*arms)
    assert answer["p_value"] == close(pooled.pvalue)
    metric = Proportion("y", method="norm", correction=False, equal_var=False)
    apart = metric.analyze_aggregates(*arms)
    assert answer["difference"] == close(apart.effect_size)
    assert answer["wald_low"] == close(apart.effect_size_ci_lower)
    assert answer["wald_high"] == close(apart.effect_size_ci_upper)
    assert answer["ratio_low"] - 1 == close(apart.rel_effect_size_ci_lower)
    assert answer["ratio_high"] - 1 == close(apart.rel_effect_size_ci_upper)


@pytest.mark.parametrize(
    ("people", "weights"),
    [
        ([4350, 12650], [25, 75]),
        ([940, 19060], [5, 95]),
        ([821588, 815482], [1, 1]),
        ([9, 3], [1, 1]),
    ],
)
def test_the_sample_ratio(compute: Compute, people: Sequence[int], weights: Sequence[int]) -> None:
    metric = SampleRatio(weights[1] / weights[0], method="norm", correction=False)
    arms = {number: Aggregates(count_=count) for number, count in enumerate(people)}
    rows = [
        {"experiment": 0, "people": count, "share": weight / sum(weights)}
        for count, weight in zip(people, weights, strict=True)
    ]
    [answer] = compute("sample_ratio", rows)
    assert answer["p_value"] == close(metric.analyze(arms, 0, 1).pvalue)


def test_a_family_of_tests(compute: Compute) -> None:
    results = ExperimentResult({str(i): {"pvalue": p} for i, p in enumerate(P_VALUES)})
    holm = adjust_fwer(results, arbitrary_dependence=True, method="bonferroni")
    expected = adjust_fdr(results)
    answers = compute("multiplicity", [{"p": p, "family": "goals"} for p in P_VALUES])
    for name, adjusted in (("holm", holm), ("benjamini_hochberg", expected)):
        [of_metrics] = adjusted.values()
        theirs = [of_metrics[str(i)]["pvalue_adj"] for i in range(len(P_VALUES))]
        assert [row[name] for row in answers] == close(theirs)


@pytest.mark.parametrize(("people", "ratio"), [(100_000, 19), (10_000, 1), (640, 9)])
def test_what_a_plan_takes(compute: Compute, people: int, ratio: int) -> None:
    people_c = people / (1 + ratio)
    plan = {"deviation": 15.0, "n_c": people_c, "n_t": people - people_c, "ratio": float(ratio)}
    plan |= {"difference": 0.7, "rate_c": 0.1, "rate_t": 0.2}
    # one side at 2.5 % is what the plan is of: an effect found on the other side is no success
    one_side: dict[str, Any] = {"alternative": "greater", "alpha": 0.025, "use_t": False}
    one_side["ratio"] = ratio
    data = Aggregates(count_=100, mean_={"y": 10.0}, var_={"y": 225.0})
    metric = Mean("y", **one_side, n_obs=people)
    [smallest] = metric.solve_power_from_aggregates(data, "effect_size")
    metric = Mean("y", **one_side, n_obs=people, effect_size=0.7)
    [power] = metric.solve_power_from_aggregates(data, "power")
    metric = Mean("y", **one_side, effect_size=0.7)
    [size] = metric.solve_power_from_aggregates(data, "n_obs")

    [answer] = compute("power", [plan])
    assert answer["detectable"] == close(smallest.effect_size)
    assert answer["found_means"] == close(power.power)
    assert math.ceil(answer["people_for_means"] * (1 + ratio)) == size.n_obs
