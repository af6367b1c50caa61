"""The whole loop, as a newcomer runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cio.demo import VENDORS
from tests.cio.command import Said, cio
from tests.conftest import ROOT
from warehouse.connection import read_published
from warehouse.home import Home

if TYPE_CHECKING:
    from typing import TypeAlias

    Summary: TypeAlias = dict[str, Any]
    Wanted: TypeAlias = tuple[set[str], set[tuple[str, str]]]

pytestmark = pytest.mark.slow

PEOPLE = 4000
LARGE = ("clicked_any_message_7d", "clicked_sms_14d", "fatigue_risk_14d", "purchased_3d")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "room"


@pytest.fixture(scope="module")
def first(folder: Path) -> Summary:
    said = demo(folder)
    assert said.exit_code == 0, said.err
    return said.json


def demo(folder: Path) -> Said:
    return cio(
        *("demo", "--json", "--people", str(PEOPLE), "--folder", str(folder)),
        # nothing of a user's is touched, wherever it points
        environment={"CIO_HOME": str(folder.parent / "mine"), "TZ": "Pacific/Auckland"},
    )


def test_the_summary_tells_what_happened(first: Summary) -> None:
    assert set(first) >= {"events", "people", "audiences", "lift", "planned", "accepted", "report"}
    assert first["events"] > 10 * PEOPLE
    listed = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert set(first["audiences"]) == set(listed["vars"]["audiences"])
    # nobody views products in a world without a shop's events; some windows are an hour or two
    assert min(first["audiences"][name] for name in LARGE) > 0
    assert first["planned"] == first["accepted"] > 0


def test_the_planted_lift_lies_in_its_interval(first: Summary) -> None:
    measured = [lift for lift in first["lift"] if lift["truth"] is not None]
    assert {lift["arm"] for lift in measured} == {"messaged", "discount", "reminder"}
    outside = [
        (lift["experiment"], lift["arm"], lift["metric"])
        for lift in measured
        if not lift["ci_low"] <= lift["truth"] <= lift["ci_high"]
    ]
    assert outside == []


def test_an_experiment_nobody_was_assigned_in_has_a_reason_and_no_number(first: Summary) -> None:
    refused = [lift for lift in first["lift"] if lift["experiment"] == "replenishment_holdout"]
    assert refused
    assert {lift["effect"] for lift in refused} == {None}
    assert {lift["verdict"] for lift in refused} == {"refused"}
    assert "no random holdout, no lift" in refused[0]["reason"]


@pytest.fixture(scope="module")
def wanted(first: Summary, folder: Path) -> Wanted:
    """What the models say every vendor should have: keys of events, and members by label."""
    assert first
    with read_published(Home(folder)) as published:
        events = published.connection.execute(
            f"select record_key from {published.table('outbound', 'outbound_message_events')}"
            " where metric in ('delivered', 'clicked', 'unsubscribed')"
            " and made_by <> 'machine' and customer_id is not null"
        ).fetchall()
        members = published.connection.execute(
            "select customer_id, label"
            f" from {published.table('outbound', 'outbound_audience_members')}"
            " where customer_id is not null"
        ).fetchall()
    assert events
    assert members
    return {key for (key,) in events}, set(members)


def test_every_row_is_planned_once_a_vendor(first: Summary, wanted: Wanted) -> None:
    events, members = wanted
    planned = {sync["name"]: sync["planned"] for sync in first["syncs"]}
    assert planned == {
        f"{vendor}_{name}": len(rows)
        for vendor in VENDORS
        for name, rows in (("message_events", events), ("audience_members", members))
    }


def test_mixpanel_holds_exactly_the_models_rows(wanted: Wanted, folder: Path) -> None:
    held: dict[str, set[str]] = {}
    events = set()
    for line in (folder / "fakes" / "mixpanel.ndjson").read_bytes().splitlines():
        record = json.loads(line[line.index(b"{") :])
        if "event" in record:
            events.add(record["properties"]["$insert_id"])
        else:
            for label in record.get("$union", {}).get("cio_audiences", []):
                held.setdefault(record["$distinct_id"], set()).add(label)
    members = {(person, label) for person, labels in held.items() for label in labels}
    assert (events, members) == wanted


def test_segment_holds_exactly_the_models_rows(wanted: Wanted, folder: Path) -> None:
    calls = kept(folder, "segment")
    entered = {
        (call["userId"], call["properties"]["audience_name"])
        for call in calls
        if call.get("event") == "Audience Entered"
    }
    keys = [
        call["messageId"].rpartition("-")[2]
        for call in calls
        if call["type"] == "track" and "audience_key" not in call["properties"]
    ]
    assert len(keys) == len(set(keys))
    assert (set(keys), entered) == wanted
    traits = {call["userId"] for call in calls if call["type"] == "identify"}
    assert traits == {person for person, _ in entered}


def test_amplitude_holds_exactly_the_models_rows(wanted: Wanted, folder: Path) -> None:
    records = kept(folder, "amplitude")
    events = [record["insert_id"] for record in records if "event_type" in record]
    assert len(events) == len(set(events))
    names = {record["cohort_id"]: record["name"] for record in records if "name" in record}
    members = {
        (person, names[record["cohort_id"]])
        for record in records
        if record.get("operation") in {"SET", "ADD"}
        for person in record["ids"]
    }
    assert (set(events), members) == wanted


def kept(folder: Path, vendor: str) -> list[Any]:
    """What a stand-in accepted."""
    lines = (folder / "fakes" / f"{vendor}.ndjson").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def test_the_report_stands_alone(first: Summary) -> None:
    html = Path(first["report"]).read_text(encoding="utf-8")
    assert len(html) < 3_000_000
    assert html.count("<svg") == 4
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html


def test_a_second_run_sends_nothing(first: Summary, folder: Path) -> None:
    again = demo(folder)
    assert again.exit_code == 0, again.err
    assert (again.json["planned"], again.json["accepted"]) == (0, 0)
    assert again.json["audiences"] == first["audiences"]
    assert again.json["lift"] == first["lift"]


def test_the_users_own_home_was_not_touched(first: Summary, folder: Path) -> None:
    assert first
    assert not (folder.parent / "mine").exists()
