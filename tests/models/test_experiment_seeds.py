"""Experiments are described by hand: what is written wrong stops the build and is named."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.conftest import ROOT
from tests.models.models_in_process import parse
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CHECK = "assert_experiments_are_described_so_that_they_can_be_measured"
EXPERIMENTS = """
sound,,campaign,2026-03-01 00:00:00,,168,conversion_rate,0.1,,
sparse,,global,2026-03-01 00:00:00,2026-03-02 00:00:00,1,,,all,
percent,,campaign,2026-03-01 00:00:00,,168,conversion_rate,10,,
nobody,,campaign,2026-03-01 00:00:00,,168,conversion_rate,0,,
no_start,,campaign,,,168,conversion_rate,0.1,,
backwards,,campaign,2026-03-01 00:00:00,2026-03-01 00:00:00,168,conversion_rate,0.1,,
no_window,,campaign,2026-03-01 00:00:00,,0,conversion_rate,0.1,,
no_metric,,campaign,2026-03-01 00:00:00,,168,conversions,0.1,,
"""
ARMS = """
sound,none,true,1,10,g,,,,,
sound,a,false,1,10,a,,,,,0.6
sound,a,false,1,10,b,,,,,0.6
sound,c,false,1,10,c,,,,,0.3
sparse,none,true,,,,,,,,
sparse,a,false,,,,,,,,
percent,none,true,2,,g,,,,,
percent,a,false,2,,a,,,,,90
nobody,both,true,3,,g,,,,,
nobody,both,false,3,,a,,,,,
backwards,none,true,4,,,,,,,
backwards,a,false,4,,,,,,,
no_window,a,false,5,,a,,,,,0.4
no_window,a,false,5,,b,,,,,0.5
"""
SHARE = "is not between 0 and 1: 10 % is 0.1"
PROBLEMS = {
    ("percent", f"holdout_share {SHARE}"),
    ("nobody", f"holdout_share {SHARE}"),
    ("no_start", "starts_at is empty"),
    ("backwards", "ends_at is not after starts_at"),
    ("no_window", "window_hours is not above 0"),
    ("no_metric", "primary_metric is not the name of a metric"),
    ("percent", f"planned_share of arm a {SHARE}"),
    ("nobody", "arm both is held out in one row and not in another"),
    ("no_window", "planned_share of arm a differs between its rows"),
    ("backwards", "arms a and none are recognised by the same"),
}


def test_each_mistake_in_the_description_of_an_experiment_is_named(tmp_path: Path) -> None:
    company = tmp_path / "company"
    shutil.copytree(ROOT / "company", company)
    for name, rows in (("experiments", EXPERIMENTS), ("experiment_arms", ARMS)):
        path = company / "seeds" / f"{name}.csv"
        (header,) = path.read_text(encoding="utf-8").splitlines()
        path.write_text(header + rows, encoding="utf-8")
    home = Home(tmp_path / "home")
    home.make()
    models = parse(home, company, tmp_path / "target", {})
    read = ("experiments", "experiment_arms", "int_experiments", "int_experiment_metrics")
    models.run(home, "build", ["--select", *read, "--exclude-resource-type", "test", "unit_test"])
    with pytest.raises(AssertionError, match="10 results"):
        models.run(home, "test", ["--select", CHECK])
    (compiled,) = models.target_path.rglob(f"compiled/**/{CHECK}.sql")
    with duckdb.connect(home.warehouse, read_only=True) as connection:
        assert set(connection.execute(compiled.read_text(encoding="utf-8")).fetchall()) == PROBLEMS
