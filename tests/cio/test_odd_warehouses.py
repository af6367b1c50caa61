"""A warehouse without experiments, and one with two hundred audiences: each makes sense.

Both are the built world, whose published tables are what such a company's would be. That the models
do without experiments is shown where one event is all there is.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.chromium import open_page
from tests.cio.command import Said, cio_here
from tests.cio.conftest import credentials
from tests.cio.reading import text_of, unthought_of
from warehouse.connection import read_published
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.slow

ADDED = 160
PHONE, DESK = 390, 1000
# pixels, of a page whose long lists are folded
TALLEST = {PHONE: 15_000, DESK: 7_500}
MOST_BYTES = 3_000_000
# campaigns whose clicks claim something, with nobody held out to say what they caused
CLAIMED = """
update {marts}.campaign_attribution set experiment_id = null, treated_people = null,
    incremental_revenue = null, incremental_ci_low = null, incremental_ci_high = null,
    basis = 'no random holdout, so nothing is known of what it caused'
"""
ALERTED = "delete from {operations}.open_alerts where alert_name like '%experiment%'"
CROWD = """
insert into {operations}.audience_sizes
select one.* replace (
    'crowd_' || n || 'd' as audience,
    'CIO | Crowd Number ' || n || ' | 0-' || n || 'd' as label,
    10 * n as people
)
from (from {operations}.audience_sizes limit 1) as one, range(1, 161) as numbers(n);

insert into {operations}.audience_sizes_daily
select one.* replace (
    'crowd_' || n || 'd' as audience,
    observed_on - day::integer as observed_on,
    10 * n - day as people,
    if(day < 5, 2, 1) as version
)
from
    (from {operations}.audience_sizes_daily limit 1) as one, range(1, 161) as numbers(n),
    range(0, 10) as days(day);

insert into {operations}.audience_overlaps
select 'crowd_' || n || 'd', 'crowd_' || m || 'd', 10 * n, 10 * m, 10 * n, n / m
from range(1, 161) as numbers(n), range(1, 161) as others(m)
where n < m
"""


@pytest.fixture(scope="module")
def unmeasured(built_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People, messages and orders, and nobody who ever held anybody out."""
    home = _copied(built_world, tmp_path_factory.mktemp("unmeasured"))
    about = ("experiment%", "int_experiment%", "assignments", "warehouse_assignments")
    with duckdb.connect() as connection:
        path = _published(home)
        connection.execute(f"attach '{path}' as warehouse (read_only)")
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where "
            + " or ".join(f"table_name like '{name}'" for name in (*about, "fatigue_dose_effects"))
        ).fetchall()
    assert len(tables) > 15
    _change(home, [*(f"delete from {table}" for (table,) in tables), CLAIMED, ALERTED])
    return home


@pytest.fixture(scope="module")
def crowded(built_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred audiences, of which most are alike."""
    home = _copied(built_world, tmp_path_factory.mktemp("crowded"))
    _change(home, [CROWD])
    path = home / "target" / "manifest.json"
    manifest: Any = json.loads(path.read_text(encoding="utf-8"))
    known = manifest["nodes"]["model.customerio_warehouse.clicked_any_message_7d"]
    for number in range(1, ADDED + 1):
        node = json.loads(json.dumps(known)) | {"name": f"crowd_{number}d"}
        label = f"CIO | Crowd Number {number} | 0-{number}d"
        node["config"]["meta"]["audience"]["label"] = label
        manifest["nodes"][f"model.customerio_warehouse.crowd_{number}d"] = node
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return home


def _copied(built_world: Path, folder: Path) -> Path:
    home: Path = shutil.copytree(built_world, folder / "home")
    return home


def _published(home: Path) -> Path:
    with read_published(Home(home)) as published:
        return published.path


def _change(home: Path, statements: Iterable[str]) -> None:
    """Change the published build as if it had been built so."""
    with read_published(Home(home)) as published:
        path = published.path
        layers = {layer: published.schema(layer) for layer in ("marts", "operations")}
    path.chmod(0o600)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as warehouse")
        connection.execute("use warehouse")
        for statement in statements:
            connection.execute(statement.format(**layers))


def run(home: Path, *words: str) -> Said:
    return cio_here(*words, home=home, environment=credentials(home))


def test_without_experiments_the_report_has_everything_but_lift(unmeasured: Path) -> None:
    said = run(unmeasured, "report")
    assert said.exit_code == 0, said.err
    text = text_of(unmeasured / "report.html")
    assert unthought_of(text) == []
    assert "No random holdout, no lift. Hold out a share of people at random" in text
    assert "People by messages received in 14 days" in text
    assert "percentage points" not in text


def test_without_experiments_the_readout_says_what_is_missing(
    unmeasured: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    said = run(unmeasured, "notebook", "holdout_readout", "--html", str(page))
    assert said.exit_code == 0, said.err
    text = text_of(page)
    assert unthought_of(text) == []
    assert "Nobody was assigned." in text
    assert "Nothing is measured." in text


def test_without_experiments_nobody_is_held_out_of_a_plan(unmeasured: Path) -> None:
    said = run(unmeasured, "sync", "plan", "--json", "--select", "google_suppressed_members")
    assert said.exit_code in {0, 3}, said.err
    (sync,) = said.json["syncs"]
    assert "held out" not in sync["left_out"]
    found = run(unmeasured, "doctor", "--json")
    assert found.exit_code in {0, 1}, found.err


def test_two_hundred_audiences_are_a_line_each(crowded: Path) -> None:
    said = run(crowded, "audiences", "list")
    assert said.exit_code == 0, said.err
    lines = said.out.splitlines()
    assert len([line for line in lines if "CIO | Crowd Number" in line]) == ADDED
    assert len(lines) < 220
    assert max(map(len, lines)) <= 80


def test_two_hundred_audiences_fit_a_page_on_a_desk_and_a_phone(
    crowded: Path, tmp_path: Path
) -> None:
    path = tmp_path / "explorer.html"
    said = run(crowded, "notebook", "audience_explorer", "--html", str(path))
    assert said.exit_code == 0, said.err
    text = text_of(path)
    assert unthought_of(text) == []
    assert "All 201 audiences" in text
    assert path.stat().st_size < MOST_BYTES
    with open_page(tmp_path / "profile") as page:
        for width, tallest in TALLEST.items():
            page.show(path, width=width, dark=width == PHONE)
            assert page.ask("document.documentElement.scrollWidth") <= width
            assert page.ask("document.documentElement.scrollHeight") < tallest
        assert page.problems == []
