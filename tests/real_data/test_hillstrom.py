"""The MineThatData e-mail test (Hillstrom, 2008) through the whole loop: the published lift."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest
from scipy import stats

from cio.build import build
from cio.dbt import Project
from loaders.run import load
from tests.real_data.starbucks import make_company
from warehouse.connection import read_published
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SENT_AT = "2026-03-02 09:00:00"
COMPLETE = "2026-03-20 00:00:00"
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
        "branch_index,attribute,segment_id\n"
    )
    rows = "".join(
        f"hillstrom,{arm},{str(arm == 'holdout').lower()},7,70,{arm},,,,\n" for arm in ARMS.values()
    )
    (seeds / "experiment_arms.csv").write_text(header + rows)
    source.execute(f"copy ({EVENTS}) to '{folder}/webhooks.jsonl' (format json)")
    source.execute(f"copy ({ORDERS}) to '{folder}/orders.csv' (format csv, header)")
    home = Home(folder / "home")
    home.make()
    complete = datetime.fromisoformat(COMPLETE).replace(tzinfo=UTC)
    load(home, "webhooks", [str(folder / "webhooks.jsonl")], complete_through=complete)
    load(home, "orders", [str(folder / "orders.csv")], complete_through=complete)
    project = Project(home=home, company=company, variables={"as_of": COMPLETE})
    build(project)
    return project


def read(project: Project, metric: str, method: str) -> dict[str, dict[str, float]]:
    with read_published(project.home) as published:
        rows = published.connection.execute(
            f"""
            select arm, effect, standard_error, ci_low, ci_high, p_value, verdict
            from {published.table("marts", "experiment_results")}
            where metric = ? and method = ?
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
    ("metric", "column"), [("revenue_per_person", "spend"), ("conversion_rate", "conversion")]
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
        oracle = stats.ttest_ind(values[arm], values["holdout"], equal_var=False)
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
