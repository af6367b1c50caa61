"""The MineThatData e-mail test (Hillstrom, 2008) through the whole loop: the published lift."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest
import scipy

from cio.dbt import Project
from loaders.run import load
from tests.real_data.built import build_marts, read_marts
from tests.real_data.starbucks import make_company
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SENT_AT = "2026-03-02 09:00:00"
COMPLETE = "2026-03-20 00:00:00"
MARTS = (
    *("experiment_results", "experiment_statistics", "experiment_heterogeneity"),
    *("experiment_health", "experiment_survival"),
)
ARMS = {"Mens E-Mail": "mens", "Womens E-Mail": "womens", "No E-Mail": "holdout"}

# Published by the data set's author and computed with scipy from the same 64,000 rows: plain Welch
# on spend a person in the two weeks after, against no e-mail.
PUBLISHED_SPEND = {
    "mens": (0.7698271558945368, 0.14524656024868676, 0.48513973, 1.05451458),
    "womens": (0.4244122159365967, 0.13033285852919116, 0.16895679, 0.67986764),
}
PUBLISHED_CONVERSION = {
    "mens": (0.006805, 0.500e-2, 0.861e-2),
    "womens": (0.003111, 0.150e-2, 0.472e-2),
}

# What else scipy, statsmodels and numpy give for the same people: effect and standard error of
# visits; with what they had spent before (`history`) adjusted for; with spend cut at the 95th
# percentile of everyone who spent.
ELSEWHERE = {
    ("mens", "site_visit_rate", "cuped"): (0.07641114745941806, 0.003378360480422942),
    ("mens", "revenue_per_person", "cuped"): (0.7674384994278026, 0.14521504219411457),
    ("mens", "revenue_per_person_capped", "welch"): (0.7374464047868928, 0.13416014793730938),
}
HALL = {
    "mens": (1.0740538049197877e-08, 0.4937486047184146, 1.0639675233750574),
    "womens": (0.0007930839115783255, 0.17381283974377565, 0.6850028374751701),
}
# Cochran's Q between who was new within the year and who was not.
WOMENS_BY_TENURE = {
    "site_visit_rate": (2.5423803326280483, 0.11082759392445397),
    "conversion_rate": (6.95413941277196, 0.008362551557036328),
    "revenue_per_person": (5.621409226500557, 0.017742377195475688),
}

EVENTS = f"""
with people as (
    select
        row_number() over () as person,
        case segment
            when 'Mens E-Mail' then 'mens' when 'Womens E-Mail' then 'womens' else 'holdout'
        end as arm
    from hillstrom
),
occurrences as (
    select person, arm, metric
    from people, (values ('drafted'), ('sent'), ('delivered')) as metrics(metric)
    where arm <> 'holdout' or metric = 'drafted'
)
select
    md5(person || metric) as event_id,
    'email' as object_type,
    metric,
    epoch(timestamp '{SENT_AT}')::bigint as "timestamp",
    {{
        'delivery_id': 'delivery-' || person,
        'campaign_id': 7,
        'parent_action_id': 70,
        'action_id': arm,
        'identifiers': {{'id': 'customer-' || person}}
    }} as data
from occurrences
"""

ORDERS = f"""
select
    'order-' || row_number() over () as order_id,
    'customer-' || person as customer_id,
    timestamp '{SENT_AT}' + interval 2 day as ordered_at,
    'USD' as currency,
    spend as total_amount
from (select row_number() over () as person, conversion, spend from hillstrom)
where conversion = 1
union all
select
    'earlier-' || row_number() over () as order_id,
    'customer-' || person as customer_id,
    timestamp '{SENT_AT}' - interval 1 day as ordered_at,
    'USD' as currency,
    history as total_amount
from (select row_number() over () as person, history from hillstrom)
"""

# The source says who was new within the year.
PEOPLE = f"""
select
    'customer-' || person as customer_id,
    timestamp '{SENT_AT}' - to_days(case newbie when 1 then 100 else 1000 end) as created_at
from (select row_number() over () as person, newbie from hillstrom)
"""

# A visit as mParticle reports it: a session of the site, in a batch of its own.
VISITS = f"""
select
    {{'customer_id': 'customer-' || person}} as user_identities,
    person as mpid,
    'production' as environment,
    [{{
        'event_type': 'session_start',
        'data': {{
            'event_id': person,
            'timestamp_unixtime_ms': epoch_ms(timestamp '{SENT_AT}' + interval 3 day)
        }}
    }}] as events
from (select row_number() over () as person, visit from hillstrom)
where visit = 1
"""


@pytest.fixture(scope="module")
def source(real_data: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set threads = 1")
    connection.execute(
        "create table hillstrom as select * from"
        f" read_csv('{real_data}/hillstrom/hillstrom.csv.gz')"
    )
    return connection


@pytest.fixture(scope="module")
def project(source: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("hillstrom")
    company = folder / "company"
    seeds = make_company(company)
    (seeds / "experiments.csv").write_text(
        "experiment_id,label,kind,starts_at,ends_at,window_hours,primary_metric,holdout_share,"
        "covers,owner\n"
        "hillstrom,E-mail test,campaign,2026-03-01 00:00:00,,336,revenue_per_person,0.3333333333,"
        "7,retention\n"
    )
    header = (
        "experiment_id,arm,is_control,campaign_id,parent_action_id,action_id,content_id,"
        "branch_index,attribute,segment_id,planned_share\n"
    )
    rows = "".join(
        f"hillstrom,{arm},{str(arm == 'holdout').lower()},7,70,{arm},,,,,0.3333333333\n"
        for arm in ARMS.values()
    )
    (seeds / "experiment_arms.csv").write_text(header + rows)
    source.execute(f"copy ({EVENTS}) to '{folder}/webhooks.jsonl' (format json)")
    source.execute(f"copy ({ORDERS}) to '{folder}/orders.csv' (format csv, header)")
    source.execute(f"copy ({VISITS}) to '{folder}/visits.jsonl' (format json)")
    source.execute(f"copy ({PEOPLE}) to '{folder}/people.csv' (format csv, header)")
    home = Home(folder / "home")
    home.make()
    complete = datetime.fromisoformat(COMPLETE).replace(tzinfo=UTC)
    load(home, "webhooks", [str(folder / "webhooks.jsonl")], complete_through=complete)
    load(home, "people", [str(folder / "people.csv")], complete_through=complete)
    load(home, "mparticle", [str(folder / "visits.jsonl")], complete_through=complete)
    load(home, "orders", [str(folder / "orders.csv")], complete_through=complete)
    project = Project(home=home, company=company, variables={"as_of": COMPLETE})
    build_marts(project, *MARTS)
    return project


def read(project: Project, metric: str, method: str) -> dict[str, dict[str, float]]:
    with read_marts(project) as published:
        rows = published.connection.execute(
            f"""
            select arm, effect, standard_error, ci_low, ci_high, p_value, verdict
            from {published.table("marts", "experiment_results")}
            where metric = ? and method = ? and segment = 'all' and control_arm = 'holdout'
            """,
            [metric, method],
        ).fetchall()
    names = ("effect", "standard_error", "ci_low", "ci_high", "p_value", "verdict")
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def test_spend_lifts_as_published(project: Project) -> None:
    results = read(project, "revenue_per_person", "welch")
    assert set(results) == {"mens", "womens"}
    for arm, (effect, error, low, high) in PUBLISHED_SPEND.items():
        result = results[arm]
        assert result["effect"] == pytest.approx(effect, rel=1e-9)
        assert result["standard_error"] == pytest.approx(error, rel=1e-9)
        assert result["ci_low"] == pytest.approx(low, abs=1e-8)
        assert result["ci_high"] == pytest.approx(high, abs=1e-8)


@pytest.mark.parametrize(
    ("metric", "column"),
    [
        ("revenue_per_person", "spend"),
        ("conversion_rate", "conversion"),
        ("site_visit_rate", "visit"),
    ],
)
def test_the_interval_is_scipys(
    project: Project, source: duckdb.DuckDBPyConnection, metric: str, column: str
) -> None:
    results = read(project, metric, "welch")
    values = {
        ARMS[segment]: [
            value
            for (value,) in source.execute(
                f"select {column} from hillstrom where segment = ?", [segment]
            ).fetchall()
        ]
        for segment in ARMS
    }
    for arm in ("mens", "womens"):
        oracle = scipy.stats.ttest_ind(values[arm], values["holdout"], equal_var=False)
        interval = oracle.confidence_interval(0.95)
        result = results[arm]
        effect = sum(values[arm]) / len(values[arm]) - sum(values["holdout"]) / len(
            values["holdout"]
        )
        assert result["effect"] == pytest.approx(effect, rel=1e-9)
        assert result["standard_error"] == pytest.approx(effect / oracle.statistic, rel=1e-9)
        assert result["ci_low"] == pytest.approx(interval.low, rel=1e-9)
        assert result["ci_high"] == pytest.approx(interval.high, rel=1e-9)
        assert result["p_value"] == pytest.approx(oracle.pvalue, rel=1e-6)
        assert result["verdict"] == "helps"


def test_conversion_lifts_as_published(project: Project) -> None:
    results = read(project, "conversion_rate", "welch")
    for arm, (effect, low, high) in PUBLISHED_CONVERSION.items():
        assert results[arm]["effect"] == pytest.approx(effect, abs=1e-6)
        assert results[arm]["ci_low"] == pytest.approx(low, abs=1e-5)
        assert results[arm]["ci_high"] == pytest.approx(high, abs=1e-5)


@pytest.mark.parametrize(("arm", "metric", "method"), ELSEWHERE)
def test_estimates_are_those_computed_elsewhere(
    project: Project, arm: str, metric: str, method: str
) -> None:
    effect, error = ELSEWHERE[arm, metric, method]
    result = read(project, metric, method)[arm]
    assert result["effect"] == pytest.approx(effect, rel=1e-9)
    assert result["standard_error"] == pytest.approx(error, rel=1e-9)


def test_the_verdict_on_spend_is_halls(project: Project) -> None:
    for arm, (p_value, low, high) in HALL.items():
        result = read(project, "revenue_per_person", "hall")[arm]
        assert result["p_value"] == pytest.approx(p_value, rel=1e-7)
        assert result["ci_low"] == pytest.approx(low, rel=1e-9)
        assert result["ci_high"] == pytest.approx(high, rel=1e-9)


def test_spend_was_cut_where_numpy_cuts_it(project: Project) -> None:
    with read_marts(project) as published:
        spenders = published.connection.execute(
            f"""
            select sum(nonzero_people), min(cap), max(cap)
            from {published.table("marts", "experiment_statistics")}
            where metric = 'revenue_per_person_capped' and segment = 'all'
            """
        ).fetchall()
        capped = published.connection.execute(
            f"""
            select arm, count(*)
            from {published.table("marts", "experiment_outcomes")}
            where revenue > 362.2
            group by arm
            """
        ).fetchall()
    assert spenders == [(578, 362.2, 362.2)]
    assert dict(capped) == {"holdout": 7, "mens": 14, "womens": 7}


def test_the_messages_came_to_what_they_did_a_person_times_the_people(project: Project) -> None:
    with read_marts(project) as published:
        rows = published.connection.execute(
            f"""
            select
                metric, incremental_total, incremental_share, people_for_one_more, chance_it_helps
            from {published.table("marts", "experiment_results")}
            where arm = 'mens' and segment = 'all' and control_arm = 'holdout' and method = 'welch'
            """
        ).fetchall()
    found = {metric: values for metric, *values in rows}
    total, share, _, chance = found["revenue_per_person"]
    assert total == pytest.approx(16402.707210644894, rel=1e-9)
    assert share == pytest.approx(0.5411346978886659, rel=1e-9)
    assert chance == pytest.approx(1 - 1.163814968225482e-07 / 2, rel=1e-9)
    orders, _, people, _ = found["conversion_rate"]
    assert orders == pytest.approx(144.99427391345162, rel=1e-9)
    assert people == pytest.approx(146.95063070365345, rel=1e-9)


def test_the_curve_of_the_holdout_has_the_interval_of_its_exponential_greenwood(
    project: Project,
) -> None:
    with read_marts(project) as published:
        rows = published.connection.execute(
            f"""
            select share_without_order, standard_error, ci_low, ci_high
            from {published.table("marts", "experiment_survival")}
            where arm = 'holdout' and people_ordering > 0
            """
        ).fetchall()
    assert len(rows) == 1
    [(share, error, low, high)] = rows
    assert share == pytest.approx(1 - 122 / 21306, rel=1e-9)
    # of so many people the error is that of a rate, and of its ln(-ln) the same over |S ln S|
    assert error == pytest.approx(math.sqrt(share * (1 - share) / 21306), rel=1e-9)
    half = 1.959963984540054 * error / abs(share * math.log(share))
    assert low == pytest.approx(share ** math.exp(half), rel=1e-9)
    assert high == pytest.approx(share ** math.exp(-half), rel=1e-9)


def test_the_effect_on_conversions_differs_by_tenure_and_on_visits_does_not(
    project: Project,
) -> None:
    with read_marts(project) as published:
        rows = published.connection.execute(
            f"""
            select metric, cochran_q, p_value
            from {published.table("marts", "experiment_heterogeneity")}
            where arm = 'womens' and dimension = 'tenure'
            """
        ).fetchall()
    found = {metric: (cochran_q, p_value) for metric, cochran_q, p_value in rows}
    for metric, (cochran_q, p_value) in WOMENS_BY_TENURE.items():
        assert found[metric] == pytest.approx((cochran_q, p_value), rel=1e-9)


def test_random_arms_bought_alike_before(project: Project) -> None:
    with read_marts(project) as published:
        statuses = published.connection.execute(
            f"select check_name, status from {published.table('marts', 'experiment_health')}"
        ).fetchall()
    found = dict(statuses)
    assert found.pop("sample_ratio_arms") == "pass"
    assert found.pop("placebo") == "pass"
    # the source says nothing of what the goods cost
    assert found.pop("costs") == "unknown"
    assert set(found.values()) == {"pass"}


def test_the_arms_that_were_sent_something_are_as_large_beside_each_other_as_planned(
    project: Project,
) -> None:
    with read_marts(project) as published:
        found = published.connection.execute(
            f"""
            select value from {published.table("marts", "experiment_health")}
            where check_name = 'sample_ratio_arms'
            """
        ).fetchall()
    assert found == [(pytest.approx(scipy.stats.chisquare([21307, 21387]).pvalue, abs=1e-9),)]
