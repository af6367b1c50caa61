"""The statistics of experiments, as DuckDB computes them, against scipy, tea-tasting and known
results.

Hillstrom's sums are those of the published e-mail test (K. Hillstrom, MineThatData, 2008); what is
expected of them was computed with scipy and statsmodels.
"""

import hashlib
import math
import re
from collections.abc import Iterable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import yaml
from macro_project import compile_queries
from scipy import stats
from tea_tasting import Mean, RatioOfMeans
from tea_tasting.aggr import Aggregates

_ROOT = Path(__file__).resolve().parents[2]
_HILLSTROM = _ROOT.parent / "shared" / "data" / "hillstrom" / "hillstrom.csv.gz"

_WELCH = "with {{ welch_results('welch', 'arguments') }} select * from welch order by i"
_MEANS = "'mean_t', 'variance_of_mean_t', 'mean_c', 'variance_of_mean_c'"

_QUERIES = {
    "normal": """
        select
            {{ normal_upper_tail('x') }} as upper_tail,
            {{ normal_cdf('x') }} as cdf,
            {{ normal_two_sided_p('x') }} as two_sided,
            {{ normal_density('x') }} as density
        from arguments order by i""",
    "normal_quantile": """
        select
            {{ normal_quantile('p') }} as quantile,
            {{ normal_critical_value() }} as usual,
            {{ normal_critical_value(0.975) }} as unusual
        from arguments order by i""",
    "student_t_p": """
        with {{ student_t_two_sided_p_ctes('answers', 'arguments', 't', 'df') }}
        select p_value from answers order by i""",
    "student_t_quantile": """
        with {{ student_t_quantile_ctes('answers', 'arguments', 'p', 'df') }}
        select t_quantile from answers order by i""",
    "chi_square": "select {{ chi_square_upper_tail('x', 'df') }} as p from arguments order by i",
    "log_gamma": "select {{ log_gamma('x') }} as value from arguments order by i",
    "moments": """
        select
            {{ sample_mean('n', 'y') }} as mean,
            {{ sample_variance('n', 'y', 'yy') }} as variance,
            {{ sample_covariance('n', 'x', 'y', 'xy') }} as covariance,
            {{ population_variance('n', 'y', 'yy') }} as population_variance,
            {{ population_covariance('n', 'x', 'y', 'xy') }} as population_covariance,
            {{ third_central_moment('n', 'y', 'yy', 'yyy') }} as third
        from (
            select
                count(*) as n, sum(x) as x, sum(y) as y, sum(x * y) as xy, sum(y * y) as yy,
                sum(y * y * y) as yyy
            from arguments
        ) as sums""",
    "welch": _WELCH,
    "inference": """
        with {{ t_inference('answers', 'arguments', level=0.9) }}
        select * from answers order by i""",
    "relative": f"""
        with {{{{ welch_results('welch', 'arguments') }}}}
        select
            *,
            {{{{ delta_relative_standard_error({_MEANS}) }}}} as delta_standard_error,
            {{{{ log_relative_standard_error({_MEANS}) }}}} as log_standard_error,
            {{{{ log_relative_low({_MEANS}) }}}} as log_low,
            {{{{ log_relative_high({_MEANS}) }}}} as log_high,
            {{{{ fieller_low({_MEANS}, z=2) }}}} as low_at_two,
            {{{{ fieller_high({_MEANS}, z='2e0') }}}} as high_at_two
        from welch order by i""",
    "proportions": """
        select
            {{ wilson_low('x_t', 'n_t') }} as wilson_low,
            {{ wilson_high('x_t', 'n_t') }} as wilson_high,
            {{ newcombe_low('x_t', 'n_t', 'x_c', 'n_c') }} as low,
            {{ newcombe_high('x_t', 'n_t', 'x_c', 'n_c') }} as high,
            (x_t / n_t - x_c / n_c)
            / {{ pooled_proportion_standard_error('x_t', 'n_t', 'x_c', 'n_c') }} as z
        from arguments order by i""",
    "hall": """
        with {{ welch_results('welch', 'arguments') }},

        skewed as (
            select
                *,
                {{ third_central_moment('n_t', 'sum_y_t', 'sum_yy_t', 'sum_yyy_t') }} as third_t,
                {{ hall_kappa(
                    third_central_moment('n_t', 'sum_y_t', 'sum_yy_t', 'sum_yyy_t'), 'n_t',
                    third_central_moment('n_c', 'sum_y_c', 'sum_yy_c', 'sum_yyy_c'), 'n_c',
                    'standard_error'
                ) }} as kappa
            from welch
        )

        select
            third_t,
            kappa,
            {{ hall_statistic('effect', 'standard_error', 'kappa') }} as statistic,
            {{ hall_p('effect', 'standard_error', 'kappa') }} as p_value,
            {{ hall_low('effect', 'standard_error', 'kappa') }} as ci_low,
            {{ hall_high('effect', 'standard_error', 'kappa') }} as ci_high
        from skewed order by i""",
    "hall_from_kappa": """
        select
            {{ hall_low('effect', 'standard_error', 'kappa') }} as ci_low,
            {{ hall_high('effect', 'standard_error', 'kappa') }} as ci_high
        from arguments order by i""",
    "cuped": """
        with moments as (
            select
                *,
                {% for arm in ['t', 'c'] %}
                {{ sample_mean('n_' ~ arm, 'sum_y_' ~ arm) }} as mean_y_{{ arm }},
                {{ sample_mean('n_' ~ arm, 'sum_x_' ~ arm) }} as mean_x_{{ arm }},
                {{ sample_variance('n_' ~ arm, 'sum_y_' ~ arm, 'sum_yy_' ~ arm) }} as y_{{ arm }},
                {{ sample_variance('n_' ~ arm, 'sum_x_' ~ arm, 'sum_xx_' ~ arm) }} as x_{{ arm }},
                {{ sample_covariance(
                    'n_' ~ arm, 'sum_x_' ~ arm, 'sum_y_' ~ arm, 'sum_xy_' ~ arm
                ) }} as xy_{{ arm }},
                {% endfor %}
                {{ cuped_theta(
                    'n_t', 'sum_y_t', 'sum_x_t', 'sum_xx_t', 'sum_xy_t',
                    'n_c', 'sum_y_c', 'sum_x_c', 'sum_xx_c', 'sum_xy_c'
                ) }} as theta
            from arguments
        ),

        adjusted as (
            select
                *,
                {{ cuped_effect('mean_y_t', 'mean_x_t', 'mean_y_c', 'mean_x_c', 'theta') }}
                    as effect,
                {{ cuped_variance('y_t', 'x_t', 'xy_t', 'theta') }} as variance_t,
                {{ cuped_variance('y_c', 'x_c', 'xy_c', 'theta') }} as variance_c,
                {{ cuped_standard_error(
                    'n_t', 'y_t', 'x_t', 'xy_t', 'n_c', 'y_c', 'x_c', 'xy_c', 'theta'
                ) }} as standard_error
            from moments
        ),

        tested as (
            select
                *,
                {{ welch_degrees_of_freedom('variance_t', 'n_t', 'variance_c', 'n_c') }}
                    as degrees_of_freedom
            from adjusted
        ),

        {{ t_inference('answers', 'tested') }}

        select * from answers order by i""",
    "ratio": """
        with variances as (
            select
                *,
                {{ ratio_unit_variance('n_t', 'm_t', 'mm_t', 'd_t', 'dd_t', 'md_t') }} as unit_t,
                {{ ratio_unit_variance('n_c', 'm_c', 'mm_c', 'd_c', 'dd_c', 'md_c') }} as unit_c
            from arguments
        ),

        estimates as (
            select
                *,
                m_t / nullif(d_t, 0) - m_c / nullif(d_c, 0) as effect,
                {{ ratio_delta_standard_error('unit_t', 'n_t', 'unit_c', 'n_c') }}
                    as standard_error,
                cast(null as double) as degrees_of_freedom
            from variances
        ),

        {{ t_inference('answers', 'estimates') }}

        select * from answers order by i""",
    "cace": """
        with differences as (
            select
                y_t / n_t - y_c / n_c as effect_y,
                d_t / n_t - d_c / n_c as effect_d,
                {{ population_variance('n_t', 'y_t', 'y_t') }} / n_t
                + {{ population_variance('n_c', 'y_c', 'y_c') }} / n_c as variance_y,
                {{ population_variance('n_t', 'd_t', 'd_t') }} / n_t
                + {{ population_variance('n_c', 'd_c', 'd_c') }} / n_c as variance_d,
                {{ population_covariance('n_t', 'y_t', 'd_t', 'yd_t') }} / n_t
                + {{ population_covariance('n_c', 'y_c', 'd_c', 'yd_c') }} / n_c as covariance_yd,
                i
            from arguments
        )

        select
            {{ cace('effect_y', 'effect_d') }} as effect,
            {{ cace_standard_error(
                'effect_y', 'effect_d', 'variance_y', 'variance_d', 'covariance_yd'
            ) }} as standard_error,
            {{ cace_is_strong('effect_d', 'variance_d') }} as is_strong
        from differences order by i""",
    "sample_ratio": """
        with checks as (
            select
                experiment,
                sum({{ sample_ratio_term('people', 'everyone', 'share') }}) as chi_square,
                {{ sequential_sample_ratio_log_factor('people', 'share') }} as log_factor,
                cast(count(*) - 1 as bigint) as df
            from (
                select *, sum(people) over (partition by experiment) as everyone from arguments
            ) as arms
            group by experiment
        )

        select *, {{ chi_square_upper_tail('chi_square', 'df') }} as p_value
        from checks order by experiment""",
    "always_valid": """
        select
            {{ always_valid_half_width('se', 'people', 'planned') }} as half_width,
            {{ always_valid_p('effect', 'se', 'people', 'planned') }} as p_value
        from arguments order by i""",
    "multiplicity": """
        with ranked as (
            select
                *,
                {{ p_value_rank('p', 'family') }} as position,
                {{ p_value_count('p', 'family') }} as tests
            from arguments
        )

        select
            {{ benjamini_hochberg('p', 'position', 'tests', 'family') }} as benjamini_hochberg,
            {{ holm('p', 'position', 'tests', 'family') }} as holm
        from ranked order by i""",
    "bucket": """
        select
            {{ hash_bucket('salt', 'id') }} as bucket,
            {{ hash_bucket("'spring'", 'id', buckets=100) }} as small
        from arguments order by i""",
}

_CONTROL = {
    "n_c": 21306,
    "sum_y_c": 13908.33,
    "sum_yy_c": 2870050.3621,
    "sum_yyy_c": 879704458.992219,
}
_MENS = {
    "n_t": 21307,
    "sum_y_t": 30311.69,
    "sum_yy_t": 6759024.4973,
    "sum_yyy_t": 2172894663.4204907,
}
_WOMENS = {
    "n_t": 21387,
    "sum_y_t": 23038.11,
    "sum_yy_t": 4911446.5763,
    "sum_yyy_t": 1472945181.929277,
}
_WOMENS_AS_CONTROL = {key.replace("_t", "_c"): value for key, value in _WOMENS.items()}

Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return compile_queries(tmp_path_factory.mktemp("macros"), _QUERIES)


@pytest.fixture
def compute(compiled: dict[str, str]):
    """Runs a query over rows, which are the table `arguments`; `i` is their order."""

    def run(name: str, rows: Iterable[dict[str, object]]) -> Rows:
        arguments = pa.Table.from_pylist([{"i": i, **row} for i, row in enumerate(rows)])
        with duckdb.connect() as connection:
            connection.register("arguments", arguments)
            return connection.execute(compiled[name]).to_arrow_table().to_pylist()

    return run


def _close(value: object, relative: float = 1e-9) -> object:
    return pytest.approx(value, rel=relative, abs=0)


def _sums(y_t: np.ndarray, y_c: np.ndarray) -> dict[str, object]:
    return {
        "n_t": len(y_t),
        "sum_y_t": float(y_t.sum()),
        "sum_yy_t": float((y_t**2).sum()),
        "n_c": len(y_c),
        "sum_y_c": float(y_c.sum()),
        "sum_yy_c": float((y_c**2).sum()),
    }


# --- distributions --------------------------------------------------------------------------------


def test_the_normal_distribution_keeps_its_digits_in_both_tails(compute) -> None:
    x = np.concatenate([np.linspace(-37, 37, 2961), [0.67448975, 5.656854249492380, 40, -40, 1e6]])
    answers = compute("normal", ({"x": value} for value in x))
    assert [row["upper_tail"] for row in answers] == _close(stats.norm.sf(x), 1e-12)
    assert [row["cdf"] for row in answers] == _close(stats.norm.cdf(x), 1e-12)
    assert [row["two_sided"] for row in answers] == _close(2 * stats.norm.sf(abs(x)), 1e-12)
    assert [row["density"] for row in answers] == _close(stats.norm.pdf(x), 1e-12)


def test_the_normal_quantile_is_exact_from_the_centre_to_1e_300(compute) -> None:
    p = np.concatenate([10.0 ** -np.linspace(0.302, 300, 500), np.linspace(0.501, 0.999, 300)])
    answers = compute("normal_quantile", ({"p": value} for value in p))
    assert [row["quantile"] for row in answers] == _close(stats.norm.ppf(p), 1e-12)
    assert answers[0]["usual"] == _close(1.959963984540054, 1e-15)
    assert answers[0]["unusual"] == _close(stats.norm.ppf(0.9875), 1e-12)


def test_there_is_no_normal_quantile_outside_0_and_1(compute) -> None:
    answers = compute("normal_quantile", ({"p": value} for value in [-0.1, 0.0, 1.0, 2.0, None]))
    assert {row["quantile"] for row in answers} == {None}


_DEGREES = [1, 1.3, 2, 2.5, 3, 4, 5, 7.3, 10, 20, 30, 50, 100, 1e3, 36671.157977, 1e5, 1e6, 1e7]


def test_the_t_distribution_is_exact_for_any_degrees_of_freedom(compute) -> None:
    t = [0, 0.001, 0.1, 0.5, 1, -1.5, 2, 2.5, 3, 4, -5, 7, 10, 15, 20, 25, 30, 1e4]
    rows = [{"t": float(value), "df": float(df)} for value in t for df in _DEGREES]
    expected = np.array([2 * stats.t.sf(abs(row["t"]), row["df"]) for row in rows])
    answers = np.array([row["p_value"] for row in compute("student_t_p", rows)])
    visible = expected > 1e-290  # scipy and double precision lose digits below
    assert answers[visible] == _close(expected[visible], 1e-11)
    assert answers[~visible] == pytest.approx(0, abs=1e-290)


def test_the_t_quantile_is_exact_for_any_degrees_of_freedom(compute) -> None:
    p = [
        1e-10,
        1e-5,
        0.001,
        0.005,
        0.025,
        0.05,
        0.3,
        0.49,
        0.6,
        0.75,
        0.9,
        0.95,
        0.975,
        0.99,
        0.9999,
    ]
    rows = [{"p": value, "df": float(df)} for value in p for df in _DEGREES]
    expected = [stats.t.ppf(row["p"], row["df"]) for row in rows]
    assert [row["t_quantile"] for row in compute("student_t_quantile", rows)] == _close(expected)


def test_the_t_distribution_says_nothing_where_it_is_not_defined(compute) -> None:
    rows = [{"t": 1.0, "df": 0.5}, {"t": 1.0, "df": None}, {"t": None, "df": 3.0}]
    assert {row["p_value"] for row in compute("student_t_p", rows)} == {None}
    rows = [{"p": 0.0, "df": 3.0}, {"p": 1.0, "df": 3.0}, {"p": None, "df": 3.0}]
    rows += [{"p": 0.9, "df": 0.9}, {"p": 0.9, "df": None}]
    assert {row["t_quantile"] for row in compute("student_t_quantile", rows)} == {None}
    assert compute("student_t_quantile", [{"p": 0.5, "df": 3.0}])[0]["t_quantile"] == 0


def test_the_chi_square_tail_has_a_closed_form_for_whole_degrees_of_freedom(compute) -> None:
    x = [0, 1e-6, 0.1, 0.5, 1, 2, 3.84, 10, 30, 100, 500, 1300]
    rows = [{"x": float(value), "df": df} for value in x for df in range(1, 31)]
    expected = [stats.chi2.sf(row["x"], row["df"]) for row in rows]
    assert [row["p"] for row in compute("chi_square", rows)] == _close(expected, 1e-11)
    beyond = [{"x": 1.0, "df": 0}, {"x": 1.0, "df": 31}, {"x": None, "df": 2}]
    assert {row["p"] for row in compute("chi_square", beyond)} == {None}


def test_the_logarithm_of_gamma_is_exact(compute) -> None:
    x = [0.01, 0.5, 0.999, 1.5, 2.5, 5.0, 33.3, 1000.0, 64000.0]
    answers = [row["value"] for row in compute("log_gamma", ({"x": value} for value in x))]
    assert answers == pytest.approx([math.lgamma(value) for value in x], rel=1e-13, abs=1e-13)


# --- moments --------------------------------------------------------------------------------------


def test_moments_come_from_sums(compute) -> None:
    random = np.random.default_rng(1)
    x = random.normal(3, 2, 50)
    y = random.gamma(1, 3, 50) + x
    [answer] = compute("moments", ({"x": a, "y": b} for a, b in zip(x, y, strict=True)))
    assert answer["mean"] == _close(y.mean())
    assert answer["variance"] == _close(y.var(ddof=1))
    assert answer["population_variance"] == _close(y.var())
    assert answer["covariance"] == _close(np.cov(x, y)[0, 1])
    assert answer["population_covariance"] == _close(np.cov(x, y, ddof=0)[0, 1])
    assert answer["third"] == _close(((y - y.mean()) ** 3).mean())


def test_one_person_has_no_variance(compute) -> None:
    [answer] = compute("moments", [{"x": 1.0, "y": 2.0}])
    assert answer["mean"] == 2
    assert answer["variance"] is None
    assert answer["covariance"] is None


def test_a_constant_has_no_variance_whatever_rounding_says(compute) -> None:
    # 0.1 added ten times is not 1: the raw formula leaves 1e-17 or a negative number.
    for people in [2, 3, 10, 1000]:
        [answer] = compute("moments", [{"x": 1.0, "y": 0.1}] * people)
        assert answer["variance"] == 0


# --- Welch ----------------------------------------------------------------------------------------


def test_welch_gives_the_published_lift_of_hillstrom(compute) -> None:
    mens, womens = compute("welch", [{**_MENS, **_CONTROL}, {**_WOMENS, **_CONTROL}])
    assert mens["mean_c"] == _close(0.6527893551112361)
    assert mens["variance_t"] == _close(315.21179886555484)
    assert mens["effect"] == _close(0.7698271558945368)
    assert mens["standard_error"] == _close(0.14524656024868676)
    assert mens["degrees_of_freedom"] == _close(36671.15797736051)
    assert mens["t_statistic"] == _close(5.300140358411669)
    assert mens["p_value"] == _close(1.163814968225482e-07)
    assert mens["ci_low"] == _close(0.4851397325684076)
    assert mens["ci_high"] == _close(1.0545145792206658)
    assert womens["effect"] == _close(0.4244122159365967)
    assert womens["p_value"] == _close(1.129397e-03, 1e-6)
    assert womens["ci_low"] == _close(0.16895679, 1e-7)
    assert womens["ci_high"] == _close(0.67986764, 1e-7)


def test_welch_is_exact_for_a_handful_of_people(compute) -> None:
    # Treated: 8 people, mean 12, deviation 5; control: 12 people, mean 10, deviation 3.
    rows = {"n_t": 8, "sum_y_t": 96, "sum_yy_t": 1327, "n_c": 12, "sum_y_c": 120, "sum_yy_c": 1299}
    [answer] = compute("welch", [rows])
    assert answer["standard_error"] == _close(1.9685019685029528)
    assert answer["degrees_of_freedom"] == _close(10.38262943735092)
    assert answer["p_value"] == _close(0.33271997879479803)
    assert answer["ci_low"] == _close(-2.3642840510362593)
    assert answer["ci_high"] == _close(6.364284051036259)


def test_welch_agrees_with_tea_tasting_on_the_same_sums(compute) -> None:
    random = np.random.default_rng(7)
    samples = [
        (random.gamma(0.5, 30, people), random.gamma(0.5, 25, controls))
        for people, controls in [(2, 2), (3, 40), (40, 3), (500, 20), (2000, 2000)]
    ]
    answers = compute("welch", (_sums(y_t, y_c) for y_t, y_c in samples))
    for (y_t, y_c), answer in zip(samples, answers, strict=True):
        arms = [
            Aggregates(count_=len(y), mean_={"y": y.mean()}, var_={"y": y.var(ddof=1)}, cov_={})
            for y in (y_c, y_t)
        ]
        expected = Mean("y", equal_var=False).analyze_aggregates(*arms)
        assert answer["effect"] == _close(expected.effect_size)
        assert answer["ci_low"] == _close(expected.effect_size_ci_lower)
        assert answer["ci_high"] == _close(expected.effect_size_ci_upper)
        assert answer["p_value"] == _close(expected.pvalue)
        assert answer["relative_effect"] == _close(expected.rel_effect_size)


def test_welch_takes_exact_decimals_as_models_sum_them(compute) -> None:
    fields = {
        name: pa.array([str(value)]).cast(pa.decimal128(38, 6))
        for name, value in {**_MENS, **_CONTROL}.items()
        if name.startswith("sum_y")
    }
    table = pa.table({"n_t": [21307], "n_c": [21306], **fields})
    [answer] = compute("welch", table.to_pylist())
    assert answer["p_value"] == _close(1.163814968225482e-07)


def test_the_interval_excludes_zero_exactly_when_the_test_rejects(compute) -> None:
    random = np.random.default_rng(11)
    rows = []
    for _ in range(400):
        people, controls = random.integers(2, 60, 2)
        shift = random.normal(0, 0.5)
        rows.append(_sums(random.normal(2 + shift, 1, people), random.gamma(2, 1, controls)))
    answers = compute("welch", rows)
    rejected = [row["p_value"] < 0.05 for row in answers]
    excluded = [row["ci_low"] > 0 or row["ci_high"] < 0 for row in answers]
    assert rejected == excluded
    assert 20 < sum(rejected) < 380
    assert all(0 <= row["p_value"] <= 1 for row in answers)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sum_y_t": 8.0, "sum_yy_t": 8.0, "sum_y_c": 0.0, "sum_yy_c": 0.0}, "no spread"),
        ({"n_t": 1, "sum_y_t": 3.0, "sum_yy_t": 9.0}, "one person treated"),
        ({"n_c": 1, "sum_y_c": 3.0, "sum_yy_c": 9.0}, "one person held out"),
        ({"n_c": 0, "sum_y_c": 0.0, "sum_yy_c": 0.0}, "nobody held out"),
        ({"n_t": 0, "sum_y_t": None, "sum_yy_t": None}, "nobody treated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_without_spread_or_people_there_is_no_test_and_no_interval(compute, change, why) -> None:
    usual = {"n_t": 8, "sum_y_t": 4.0, "sum_yy_t": 4.0, "n_c": 9, "sum_y_c": 3.0, "sum_yy_c": 3.0}
    assert compute("welch", [usual])[0]["p_value"] is not None
    [answer] = compute("welch", [{**usual, **change}])
    unknown = ["standard_error", "t_statistic", "p_value", "ci_low", "ci_high"]
    unknown += ["relative_ci_low", "relative_ci_high"]
    assert {name: answer[name] for name in unknown} == dict.fromkeys(unknown), why


def test_one_arm_without_spread_is_still_tested(compute) -> None:
    row = {"n_t": 8, "sum_y_t": 4, "sum_yy_t": 4, "n_c": 9, "sum_y_c": 0, "sum_yy_c": 0}
    [answer] = compute("welch", [row])
    assert answer["degrees_of_freedom"] == _close(7)
    t = answer["effect"] / answer["standard_error"]
    assert answer["p_value"] == _close(2 * stats.t.sf(t, 7))


def test_effects_without_degrees_of_freedom_are_tested_as_normal(compute) -> None:
    rows = [
        {"effect": 2.0, "standard_error": 0.9, "degrees_of_freedom": None},
        {"effect": 2.0, "standard_error": 0.9, "degrees_of_freedom": 6.5},
        {"effect": 2.0, "standard_error": 0.0, "degrees_of_freedom": 6.5},
    ]
    normal, student, unknown = compute("inference", rows)
    assert normal["p_value"] == _close(2 * stats.norm.sf(2 / 0.9))
    assert normal["ci_low"] == _close(2 - stats.norm.ppf(0.95) * 0.9)
    assert student["p_value"] == _close(2 * stats.t.sf(2 / 0.9, 6.5))
    assert student["ci_high"] == _close(2 + stats.t.ppf(0.95, 6.5) * 0.9)
    assert unknown["p_value"] is None
    assert unknown["ci_low"] is None


# --- relative lift --------------------------------------------------------------------------------


def test_relative_lift_by_fieller_delta_and_logarithm(compute) -> None:
    rows = [{**_MENS, **_CONTROL}, {**_WOMENS, **_CONTROL}, {**_MENS, **_WOMENS_AS_CONTROL}]
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
    for answer, wanted in zip(compute("relative", rows), expected, strict=True):
        assert {name: answer[name] for name in wanted} == _close(wanted)
        assert answer["low_at_two"] < answer["relative_ci_low"]
        assert answer["high_at_two"] > answer["relative_ci_high"]


def test_fiellers_bounds_are_the_ratios_the_test_cannot_reject(compute) -> None:
    [answer] = compute("relative", [{**_MENS, **_CONTROL}])
    for bound in ("relative_ci_low", "relative_ci_high"):
        ratio = answer[bound] + 1
        gap = answer["mean_t"] - ratio * answer["mean_c"]
        error = math.sqrt(answer["variance_of_mean_t"] + ratio**2 * answer["variance_of_mean_c"])
        assert abs(gap) / error == _close(1.959963984540054)


@pytest.mark.parametrize("total", [0.0, -40.0])
def test_there_is_no_relative_lift_over_nothing_or_a_loss(compute, total) -> None:
    row = {**_MENS, **_CONTROL, "n_c": 10, "sum_y_c": total, "sum_yy_c": 200.0}
    [answer] = compute("relative", [row])
    assert answer["p_value"] is not None
    for name in ["relative_effect", "fieller_g", "relative_ci_low", "relative_ci_high", "log_low"]:
        assert answer[name] is None


def test_a_control_not_told_from_zero_has_no_relative_interval(compute) -> None:
    row = {**_MENS, "n_c": 50, "sum_y_c": 10.0, "sum_yy_c": 100.0}
    [answer] = compute("relative", [row])
    assert answer["fieller_g"] > 1
    assert answer["relative_effect"] is not None
    assert answer["relative_ci_low"] is None
    assert answer["relative_ci_high"] is None


# --- proportions ----------------------------------------------------------------------------------


def test_newcombe_is_as_published_in_large_small_and_rare_samples(compute) -> None:
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
        _close(values) for values in expected
    ]
    assert answers[0]["wilson_low"] == _close(0.011122885010307802)
    assert answers[0]["wilson_high"] == _close(0.014115041885257276)


def test_newcombe_stays_inside_minus_one_and_one_where_nobody_or_everybody_converts(
    compute,
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


# --- skew -----------------------------------------------------------------------------------------


def test_halls_correction_of_hillstroms_spend(compute) -> None:
    # The third row holds every 20th person of the control out: there the plain test says p = 0.013.
    few = {"n_c": 1066, "sum_y_c": 529.2, "sum_yy_c": 50309.1782, "sum_yyy_c": 5630186.266506}
    answers = compute("hall", [{**_MENS, **_CONTROL}, {**_WOMENS, **_CONTROL}, {**_WOMENS, **few}])
    mens, womens, unequal = answers
    assert mens["third_t"] == _close(100632.22676867923, 1e-8)
    assert mens["kappa"] == _close(0.0428452662419527, 1e-8)
    assert mens["statistic"] == _close(5.718599873226706, 1e-8)
    assert mens["p_value"] == _close(1.0740538049197877e-08, 1e-6)
    assert mens["ci_low"] == _close(0.4937486047184146, 1e-8)
    assert mens["ci_high"] == _close(1.0639675233750574, 1e-8)
    assert womens["kappa"] == _close(0.026458264219841713, 1e-8)
    assert womens["p_value"] == _close(0.0007930839115783255, 1e-6)
    assert womens["ci_low"] == _close(0.17381283974377565, 1e-8)
    assert womens["ci_high"] == _close(0.6850028374751701, 1e-8)
    assert unequal["kappa"] == _close(-0.34621196850150976, 1e-8)
    assert unequal["p_value"] == _close(0.0748990886197457, 1e-6)
    assert unequal["ci_low"] == _close(-0.08737659041020107, 1e-8)
    assert unequal["ci_high"] == _close(0.9533068575581254, 1e-8)


def test_halls_interval_becomes_the_plain_one_without_a_jump_as_skew_vanishes(compute) -> None:
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


# --- CUPED, ratios, CACE --------------------------------------------------------------------------

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


def test_cuped_uses_what_people_spent_before(compute) -> None:
    spend, visit = compute("cuped", [{**_HISTORY, **_SPEND}, {**_HISTORY, **_VISIT}])
    assert spend["theta"] == _close(0.0012228965198244435)
    assert spend["variance_t"] == _close(315.02655782188685)
    assert spend["variance_c"] == _close(134.27655236131)
    assert spend["effect"] == _close(0.7674384994278026)
    assert spend["standard_error"] == _close(0.14521504219411457)
    assert spend["degrees_of_freedom"] == _close(36676.63648675951)
    assert spend["p_value"] == _close(1.2653144672519346e-07)
    assert spend["ci_low"] == _close(0.4828128537957849)
    assert spend["ci_high"] == _close(1.0520641450598203)
    assert visit["theta"] == _close(9.134195036168928e-05)
    assert visit["effect"] == _close(0.07641114745941806)
    assert visit["standard_error"] == _close(0.003378360480422942)
    assert visit["p_value"] == _close(1.4398592970282286e-112, 1e-8)
    assert visit["ci_high"] == _close(0.08303280974142938)


def test_a_covariate_that_does_not_vary_adjusts_nothing(compute) -> None:
    same = {"sum_x_t": 0.1 * 21307, "sum_xx_t": 0.01 * 21307}
    same |= {"sum_x_c": 0.1 * 21306, "sum_xx_c": 0.01 * 21306}
    same |= {"sum_xy_t": 0.1 * 30311.69, "sum_xy_c": 0.1 * 13908.33}
    [answer] = compute("cuped", [{**_HISTORY, **_SPEND, **same}])
    assert answer["theta"] == 0
    assert answer["effect"] == _close(0.7698271558945368)
    assert answer["standard_error"] == _close(0.14524656024868676)
    [unknown] = compute("cuped", [{**_HISTORY, **_SPEND, "sum_x_c": None}])
    assert unknown["effect"] is None
    assert unknown["p_value"] is None


def test_average_order_value_is_a_ratio_over_people(compute) -> None:
    row = {"n_t": 21307, "m_t": 30311.69, "mm_t": 6759024.4973, "d_t": 267, "dd_t": 267}
    row |= {"n_c": 21306, "m_c": 13908.33, "mm_c": 2870050.3621, "d_c": 122, "dd_c": 122}
    row |= {"md_t": 30311.69, "md_c": 13908.33}
    answer, nothing = compute("ratio", [row, {**row, "m_c": 0, "mm_c": 0, "md_c": 0, "d_c": 0}])
    assert answer["unit_t"] == _close(991686.685625152)
    assert answer["unit_c"] == _close(1838756.7712882971)
    assert answer["effect"] == _close(-0.4757760790814416)
    assert answer["standard_error"] == _close(11.525843270138976)
    assert answer["p_value"] == _close(0.9670734194018822)
    assert answer["ci_low"] == _close(-23.066013780007196)
    assert answer["ci_high"] == _close(22.114461621844313)
    assert nothing["effect"] is None
    assert nothing["p_value"] is None


def test_the_ratio_agrees_with_tea_tasting(compute) -> None:
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
    assert answer["effect"] == _close(expected.effect_size)
    assert answer["ci_low"] == _close(expected.effect_size_ci_lower)
    assert answer["p_value"] == _close(expected.pvalue)


def test_the_effect_on_compliers_is_that_of_two_stage_least_squares(compute) -> None:
    # Canvassing in New Haven: 395 of 1,445 people assigned could be reached.
    row = {"n_t": 1445, "y_t": 598, "d_t": 395, "yd_t": 215}
    row |= {"n_c": 5645, "y_c": 2119, "d_c": 0, "yd_c": 0}
    [answer] = compute("cace", [row])
    assert answer["effect"] == _close(0.14071150676637786)
    assert answer["standard_error"] == _close(0.05240146793868469)
    assert answer["is_strong"]


def test_an_effect_on_compliers_is_refused_where_assignment_hardly_changed_delivery(
    compute,
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
    assert all_delivered["effect"] == _close(58 / 1445)


# --- sample ratio, looking every day, many tests, assignment --------------------------------------


def test_the_sample_ratio_check(compute) -> None:
    cases = [
        ([21306, 21307, 21387], [1, 1, 1], 0.20253125, 0.9036929575604196),
        ([4350, 12650], [25, 75], 3.1372549019607843, 0.07652250047505939),
        ([1000, 19000], [5, 95], 0.0, 1.0),
        ([940, 19060], [5, 95], 3.7894736842105265, 0.05157586362087707),
        ([821588, 815482], [1, 1], 22.77436884189436, 1.8217928726191858e-06),
        ([166080, 171180, 166300], [1, 1, 1], 99.04043212328224, 3.116329865438442e-22),
    ]
    rows = [
        {"experiment": number, "people": people, "share": weight / sum(weights)}
        for number, (observed, weights, _, _) in enumerate(cases)
        for people, weight in zip(observed, weights, strict=True)
    ]
    answers = compute("sample_ratio", rows)
    for (_, _, chi_square, p_value), answer in zip(cases, answers, strict=True):
        assert answer["chi_square"] == pytest.approx(chi_square, rel=1e-9, abs=1e-15)
        assert answer["p_value"] == _close(p_value, 1e-9)


def test_the_sample_ratio_may_be_checked_every_day(compute) -> None:
    cases = [
        ([510, 490], [0.5, 0.5], -1.0192267045763401),
        ([940, 19060], [0.05, 0.95], -0.7170842469781746),
        ([700, 19300], [0.05, 0.95], 49.89141026255811),
        ([21306, 21307, 21387], [1 / 3, 1 / 3, 1 / 3], -6.368617718675523),
    ]
    rows = [
        {"experiment": number, "people": people, "share": share}
        for number, (observed, shares, _) in enumerate(cases)
        for people, share in zip(observed, shares, strict=True)
    ]
    answers = [row["log_factor"] for row in compute("sample_ratio", rows)]
    # Logarithms of gamma near 6e5 leave 1e-10.
    assert answers == pytest.approx([case[2] for case in cases], rel=1e-9, abs=1e-9)


def test_always_valid_intervals_are_growthbooks(compute) -> None:
    row = {"effect": 0.4244122159365967, "se": 0.13033285852919116, "people": 42693}
    early, late, unknown = compute(
        "always_valid",
        [{**row, "planned": 5000}, {**row, "planned": 42000}, {**row, "planned": 5, "se": None}],
    )
    assert early == _close({"half_width": 0.41976468073897033, "p_value": 0.04462165849914281})
    assert late == _close({"half_width": 0.39557922778225557, "p_value": 0.026919545342089065})
    assert unknown == {"half_width": None, "p_value": None}


_P_VALUES = [0.0011293966, 0.00015602836, 0.03046865, 0.0205, 0.2, 0.04, 0.9]


def test_families_of_tests_are_adjusted(compute) -> None:
    rows = [{"p": p, "family": "first"} for p in _P_VALUES]
    # A test without a p-value is no test; a family does not see the other; ties share their value.
    rows += [{"p": None, "family": "first"}]
    rows += [{"p": p, "family": "second"} for p in [0.03, 0.03, 0.03]]
    answers = compute("multiplicity", rows)
    assert [row["benjamini_hochberg"] for row in answers[:7]] == _close(
        stats.false_discovery_control(_P_VALUES)
    )
    holm = [0.0067763796, 0.00109219852, 0.1218746, 0.1025, 0.4, 0.1218746, 0.9]
    assert [row["holm"] for row in answers[:7]] == _close(holm)
    assert answers[7] == {"benjamini_hochberg": None, "holm": None}
    assert answers[8:] == [{"benjamini_hochberg": _close(0.03), "holm": _close(0.09)}] * 3


def test_the_bucket_is_md5_as_any_language_computes_it(compute) -> None:
    known = [
        ("global_holdout_2026q1", "1", 4421),
        ("global_holdout_2026q1", "cust_42", 1160),
        ("global_holdout_2026q1", "0200102", 9053),
        ("global_holdout_2026q2", "cust_42", 9926),
    ]
    rows = [{"salt": salt, "id": person} for salt, person, _ in known]
    rows += [{"salt": "s", "id": f"ü{number}"} for number in range(50)]
    answers = compute("bucket", [*rows, {"salt": "s", "id": None}])
    assert [row["bucket"] for row in answers[:4]] == [bucket for _, _, bucket in known]
    for row, answer in zip(rows, answers, strict=False):
        digest = hashlib.md5(f"spring|{row['id']}".encode(), usedforsecurity=False).hexdigest()
        assert answer["small"] == int(digest[:8], 16) % 100
    assert answers[-1]["bucket"] is None


# --- the people themselves ------------------------------------------------------------------------


def test_hillstroms_people_give_the_published_lift(compute) -> None:
    if not _HILLSTROM.exists():
        pytest.skip("the Hillstrom data are not here: put them at ../shared/data/hillstrom")
    with duckdb.connect() as connection:
        connection.read_csv(str(_HILLSTROM)).create_view("people")
        sums = connection.sql(
            """
            select
                segment, count(*) as n, sum(spend) as spend, sum(spend * spend) as spend_squared
            from people group by segment
            """
        )
        arms = {segment: values for segment, *values in sums.fetchall()}
    n_c, sum_y_c, sum_yy_c = arms["No E-Mail"]
    n_t, sum_y_t, sum_yy_t = arms["Mens E-Mail"]
    row = {"n_t": n_t, "sum_y_t": sum_y_t, "sum_yy_t": sum_yy_t}
    [answer] = compute("welch", [{**row, "n_c": n_c, "sum_y_c": sum_y_c, "sum_yy_c": sum_yy_c}])
    assert answer["effect"] == _close(0.7698271558945368)
    assert answer["standard_error"] == _close(0.14524656024868676)
    assert answer["relative_ci_high"] == _close(1.9774473610628336)


# --- the macros as a whole ------------------------------------------------------------------------

_BOTH_ENGINES_HAVE = {"exp", "ln", "sqrt", "abs", "power", "sign", "least", "greatest"}
_BOTH_ENGINES_HAVE |= {"cast", "coalesce", "nullif", "sum", "min", "max", "count", "row_number"}
_KEYWORDS = {"as", "in", "over", "and", "from", "or", "then", "when", "end", "case", "select"}


def test_the_sql_calls_only_functions_that_duckdb_and_spark_share(compiled) -> None:
    for name, sql in compiled.items():
        called = set(re.findall(r"\b([a-z_]\w*)\s*\(", re.sub(r"--.*", "", sql)))
        dialect = {"md5", "substr"} if name == "bucket" else set()
        assert called - _KEYWORDS <= _BOTH_ENGINES_HAVE | dialect, name


def test_no_number_is_a_decimal_which_would_overflow(compiled) -> None:
    for name, sql in compiled.items():
        assert not re.findall(r"(?<![\w.])\d+\.\d+(?!\d*e)\b", sql), name


def test_every_macro_is_described_with_its_arguments() -> None:
    described = yaml.safe_load((_ROOT / "macros/experiments/_macros.yml").read_text())["macros"]
    documented = {
        macro["name"]: [argument["name"] for argument in macro.get("arguments", [])]
        for macro in described
        if macro["description"] and all(a["description"] for a in macro.get("arguments", []))
    }
    files = [*(_ROOT / "macros" / "experiments").glob("*.sql")]
    files += [_ROOT / "macros" / "engines" / "hash_bucket.sql"]
    written = {}
    for file in files:
        for name, signature in re.findall(r"macro (\w+)\(([^)]*)\)", file.read_text()):
            if "__" not in name:  # the engines' own versions are described once, by the first
                arguments = [argument.split("=")[0].strip() for argument in signature.split(",")]
                written[name] = [argument for argument in arguments if argument]
    assert documented == written
