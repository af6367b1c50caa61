"""Seeds are written by hand: what is wrong in them stops the build and is named."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from tests.conftest import ROOT
from tests.models.models_in_process import Models, parse
from warehouse.home import Home

pytestmark = pytest.mark.slow

EXPERIMENTS_CHECK = "assert_experiments_are_described_so_that_they_can_be_measured"
COVERS_CHECK = "assert_experiments_cover_what_exists"
RULES_CHECK = "assert_rules_that_people_edit_can_hold"
EXPERIMENTS = """
sound,,campaign,2026-03-01 00:00:00,,168,conversion_rate,0.1,"13, all,customerio_people",
sparse,,global,2026-03-01 00:00:00,2026-03-02 00:00:00,1,,,all,
percent,,campaign,2026-03-01 00:00:00,,168,conversion_rate,10,,
nobody,,campaign,2026-03-01 00:00:00,,168,conversion_rate,0,,
no_start,,campaign,,,168,conversion_rate,0.1,,
backwards,,campaign,2026-03-01 00:00:00,2026-03-01 00:00:00,168,conversion_rate,0.1,12;13,
no_window,,campaign,2026-03-01 00:00:00,,0,conversion_rate,0.1,,
no_metric,,campaign,2026-03-01 00:00:00,,168,conversions,0.1,"13, customerio_peple",
held,,global,2026-03-01 00:00:00,,168,conversion_rate,0.1,all,
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
held,none,true,,,,,,holdout=true,,
held,none,true,,,,,,,12,
held,a,false,,,,,,holdout = a=b,,
held,b,false,,,,,,holdout,,
held,c,false,,,,,,=false,,
held,d,false,,,,,,holdout= ,,
held,f,false,,,,,,holdout=f,13,
held,g,false,7,,,,,holdout=g,,
held,h,false,,,,,1,,14,
"""
SHARE = "is not between 0 and 1: 10 % is 0.1"
SEVERAL_WAYS = (
    "names an attribute or a segment beside other ids in a row: each way to recognise it is a row"
)
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
    ("held", "attribute holdout of arm b is not name=value"),
    ("held", "attribute =false of arm c is not name=value"),
    ("held", "attribute holdout= of arm d is not name=value"),
    *(("held", f"arm {arm} {SEVERAL_WAYS}") for arm in "fgh"),
}
COVERS_PROBLEMS = {("backwards", "12;13"), ("no_metric", "customerio_peple")}


# Each seed has a row that is right, so that it is the other that is found.
RULES = {
    "fatigue_tiers": "steady,6,\npressed,14,\n",
    "frequency_caps": "right,sms,all,1,1\nnone,,all,0,1\nno_day,,all,1,0\nwrong,mail,all,1,1\n",
    "suppression_ladder_rungs": "1,right,clicked,1,1\n2,never,clicked,0,1\n3,at_once,clicked,1,0\n",
    "buying_cycles": "right,due,0,1\nwrong,due,30,30\nwrong,early,-1,30\n",
}
RULE_PROBLEMS = {
    ("fatigue_tiers", "no tier starts at 0"),
    ("frequency_caps", "cap none allows less than one message"),
    ("frequency_caps", "cap no_day has less than a day"),
    ("frequency_caps", "cap wrong names a channel that is none"),
    *(
        (
            "suppression_ladder_rungs",
            f"rung {reason} needs nothing to have happened, or lasts no hour",
        )
        for reason in ("never", "at_once")
    ),
    *(
        ("buying_cycles", f"stage {stage} of wrong ends before it starts")
        for stage in ("due", "early")
    ),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Models, Home]:
    """What a company made wrong in each seed, and in each way."""
    folder = tmp_path_factory.mktemp("seeds")
    company = folder / "company"
    shutil.copytree(ROOT / "company", company)
    rows = {"experiments": EXPERIMENTS, "experiment_arms": ARMS, **RULES}
    for name, lines in rows.items():
        path = company / "seeds" / f"{name}.csv"
        header = path.read_text(encoding="utf-8").splitlines()[0]
        path.write_text(f"{header}\n{lines.lstrip()}", encoding="utf-8")
    home = Home(folder / "home")
    home.make()
    models = parse(home, company, folder / "target", {})
    read = (*rows, "channels", "int_experiments", "int_experiment_metrics", "int_experiment_covers")
    models.run(home, "build", ["--select", *read, "--exclude-resource-type", "test", "unit_test"])
    return models, home


@pytest.mark.parametrize(
    ("check", "problems"),
    [
        (EXPERIMENTS_CHECK, PROBLEMS),
        (COVERS_CHECK, COVERS_PROBLEMS),
        (RULES_CHECK, RULE_PROBLEMS),
    ],
)
def test_each_mistake_in_a_seed_stops_the_build_and_is_named(
    built: tuple[Models, Home], check: str, problems: set[tuple[str, str]]
) -> None:
    models, home = built
    with pytest.raises(AssertionError, match=f"{len(problems)} results"):
        models.run(home, "test", ["--select", check])
    (compiled,) = models.target_path.rglob(f"compiled/**/{check}.sql")
    with duckdb.connect(home.warehouse, read_only=True) as connection:
        found = connection.execute(compiled.read_text(encoding="utf-8")).fetchall()
    assert set(found) == problems
