"""A warehouse and a company's folder of an older version, built by this one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from cio.dbt import Project, run_dbt
from loaders.run import load
from tests.conftest import ROOT
from tests.models.models_in_process import parse
from warehouse.connection import open_warehouse
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.home import Home

# what other tests parsed the project for
AS_OF = {"as_of": "2026-09-01T00:00:00+00:00"}


@pytest.mark.slow
def test_a_raw_table_of_an_older_version_gets_the_columns_it_lacks(
    home: Home, tmp_path: Path
) -> None:
    path = tmp_path / "refunds.csv"
    path.write_text("refund_id,order_id,refunded_at,amount\nr,o,2026-01-01,5\n")
    load(home, "refunds", [str(path)])
    with open_warehouse(home, purpose="test") as warehouse:
        warehouse.execute("alter table raw_commerce.refunds drop column is_full")
        warehouse.execute("alter table raw_commerce.refunds drop column currency")
        warehouse.execute("drop table raw_commerce.order_items")
    models = parse(home, ROOT / "fakes" / "company", tmp_path / "target", AS_OF)
    models.run(home, arguments=["--select", "stg_commerce__refunds", "stg_commerce__order_items"])
    with open_warehouse(home, purpose="test") as warehouse:
        rows = warehouse.execute(
            "select refund_id, amount, currency, is_full"
            " from dev_as_of_20260901t000000_staging.stg_commerce__refunds"
        ).fetchall()
        kinds = warehouse.execute(
            "select column_name, data_type from duckdb_columns() where schema_name = "
            "'raw_commerce' and table_name = 'refunds' and column_name in ('currency', 'is_full') "
            "order by 1"
        ).fetchall()
    assert [(row[0], float(row[1]), *row[2:]) for row in rows] == [("r", 5.0, None, False)]
    assert kinds == [("currency", "VARCHAR"), ("is_full", "BOOLEAN")]
    # what the loader lands next fits what was added
    path.write_text("refund_id,order_id,refunded_at,is_full\nr2,o,2026-01-01,true\n")
    load(home, "refunds", [str(path)])


def test_a_companys_folder_without_a_seed_or_a_column_of_this_version_is_told_which(
    home: Home, tmp_path: Path
) -> None:
    company = tmp_path / "company"
    shutil.copytree(ROOT / "company", company)
    (company / "seeds" / "message_taxonomy.csv").unlink()
    with pytest.raises(UsageError) as error:
        run_dbt(Project(home=home, company=company), "build")
    message = str(error.value)
    assert f"{company}/seeds lacks message_taxonomy.csv" in message
    assert f"cp {ROOT}/company/seeds/message_taxonomy.csv {company}/seeds/" in message
    shutil.copytree(ROOT / "company" / "seeds", company / "seeds", dirs_exist_ok=True)
    arms = company / "seeds" / "experiment_arms.csv"
    arms.write_text(arms.read_text().replace(",planned_share", ""))
    with pytest.raises(UsageError, match=r"arms\.csv lacks the column planned_share.*full-refresh"):
        run_dbt(Project(home=home, company=company), "build")
    with pytest.raises(UsageError, match=r"there is no folder .*elsewhere; set CIO_COMPANY"):
        run_dbt(Project(home=home, company=tmp_path / "elsewhere"), "build")
