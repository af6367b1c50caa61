"""A warehouse without anything, and one with a single event and no experiment: each makes sense."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cio.dbt import Project, run_dbt
from cio.notebooks import NOTEBOOKS
from tests.cio.asked import ask
from tests.cio.command import Said, cio_here
from tests.cio.reading import text_of, unthought_of
from tests.conftest import ROOT
from warehouse.home import Home

pytestmark = pytest.mark.slow

EVENT = (
    '{"event_id": "e1", "object_type": "email", "metric": "delivered", "timestamp": 1788048000,'
    ' "data": {"delivery_id": "d7", "campaign_id": 7,'
    ' "identifiers": {"id": "7", "email": "ann@example.com", "cio_id": "c7"}}}'
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of nobody's, so that no sync has credentials."""
    return tmp_path_factory.mktemp("settings")


@pytest.fixture(scope="module")
def made(manifest_file: Path) -> Home:
    """What a build makes of a clone into which nothing is loaded, its unit tests among it.

    It is the home that the project was parsed for, so that dbt need not parse it again.
    """
    home = Home(manifest_file.parent.parent / "home")
    home.make()
    shutil.copytree(manifest_file.parent, home.target, dirs_exist_ok=True)
    run_dbt(Project(home, company=ROOT / "company"), "build", ["--warn-error"])
    return home


@pytest.fixture(scope="module")
def empty(made: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home: Path = shutil.copytree(made.root, tmp_path_factory.mktemp("empty") / "home")
    return home


@pytest.fixture(scope="module")
def one(made: Home, empty: Path, settings: Path) -> Path:
    """The same home afterwards, where dbt need not parse again: built by dbt as it comes."""
    assert empty.exists()
    event = made.root / "event.jsonl"
    event.write_text(EVENT + "\n")
    loaded = run(made.root, settings, "load", "webhooks", str(event))
    assert loaded.exit_code == 0, loaded.err
    built = dbt(made, "build", "--exclude-resource-type", "unit_test")
    assert (built.returncode, built.stdout) == (0, "")
    return made.root


def dbt(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dbt as anybody would, a warning being an error; it prints nothing if all is well."""
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *(*arguments, "--quiet", "--warn-error"),
            *("--project-dir", str(ROOT), "--profiles-dir", str(ROOT)),
            *("--target", "dev", "--target-path", str(home.target)),
            *("--log-path", str(home.root / "logs")),
        ],
        env=os.environ | {"CIO_HOME": str(home.root), "CIO_COMPANY": "company"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(params=["empty", "one"])
def home(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def run(home: Path, settings: Path, *words: str) -> Said:
    return cio_here(*words, home=home, environment={"DLT_PROJECT_DIR": str(settings)})


def test_the_report_says_that_nothing_can_be_said(home: Path, settings: Path) -> None:
    told = run(home, settings, "report", "--json")
    assert told.exit_code == 0, told.err
    text = text_of(home / "report.html")
    assert "No random holdout, no lift" in text
    assert unthought_of(text) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_each_notebook_has_a_sentence_for_what_is_not_there(
    home: Path, settings: Path, tmp_path: Path, name: str
) -> None:
    page = tmp_path / "page.html"
    said = run(home, settings, "notebook", name, "--html", str(page))
    assert said.exit_code == 0, said.err
    assert unthought_of(text_of(page)) == []


def test_each_question_of_each_mart_can_be_asked(home: Path, manifest_file: Path) -> None:
    found = ask(Home(home), manifest_file)
    # a count of nothing is an answer
    assert max(one.rows for one in found) > 0


def test_the_doctor_finds_nothing_in_what_is_not_there(home: Path, settings: Path) -> None:
    said = run(home, settings, "doctor", "--json")
    assert (said.exit_code, said.json["findings"]) == (0, [])


def test_before_anything_is_loaded_there_is_one_alert_and_not_one_an_audience(
    empty: Path, settings: Path
) -> None:
    found = run(empty, settings, "alerts", "list", "--json").json["alerts"]
    assert [(one["name"], one["what_to_do"]) for one in found] == [
        ("nothing_loaded", "Run cio init, then cio load and cio build.")
    ]


def test_then_each_audience_that_should_have_people_is_one(one: Path, settings: Path) -> None:
    found = run(one, settings, "alerts", "list", "--json").json["alerts"]
    names = {alert["name"] for alert in found}
    assert "nothing_loaded" not in names
    assert {"stale_feed", "audience_size_outside_band"} <= names


def test_a_plan_of_nothing_is_a_plan(empty: Path, settings: Path) -> None:
    # one of each kind: rows that are sent once, members, a table, numbers of nobody
    names = ("amplitude_message_events", "mixpanel_audience_members")
    names += ("mixpanel_campaign_lookup", "slack_weekly_numbers")
    selected = [word for name in names for word in ("--select", name)]
    planned = run(empty, settings, "sync", "plan", *selected, "--json")
    assert planned.exit_code == 0, planned.err
    syncs = planned.json["syncs"]
    assert [(sync["adds"], sync["is_active"]) for sync in syncs] == [(0, False)] * len(names)


def test_the_status_names_the_section_that_wants_credentials(home: Path, settings: Path) -> None:
    said = run(home, settings, "sync", "status")
    assert said.exit_code == 0
    assert "[reverse_etl.mixpanel]" in " ".join(said.out.split())


def test_nobody_is_known_yet_and_then_one_is(empty: Path, one: Path, settings: Path) -> None:
    unknown = run(empty, settings, "explain", "7")
    assert unknown.exit_code == 2
    assert "nobody in the published build" in unknown.err
    known = run(one, settings, "explain", "7", "--json")
    assert [event["metric"] for event in known.json["events"]] == ["delivered"]


def test_an_event_can_be_followed_as_far_as_it_came(empty: Path, one: Path, settings: Path) -> None:
    nothing = run(empty, settings, "verify")
    assert nothing.exit_code == 2
    assert "no message event" in nothing.err
    said = run(one, settings, "verify")
    assert said.exit_code == 1
    assert "one of 1 deliveries of 2026-08-30" in said.out
    assert "no destination was to have it" in said.out
