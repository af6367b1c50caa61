"""The whole loop, as a newcomer runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cio.command import Said, cio
from warehouse.connection import read_published
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

PEOPLE = 4000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "room"


@pytest.fixture(scope="module")
def first(folder: Path) -> Iterator[Any]:
    said = demo(folder)
    assert said.exit_code == 0, said.err
    yield said.json


def demo(folder: Path) -> Said:
    return cio(
        *("demo", "--json", "--people", str(PEOPLE), "--folder", str(folder)),
        # nothing of a user's is touched, wherever it points
        environment={"CIO_HOME": str(folder.parent / "mine"), "TZ": "Pacific/Auckland"},
    )


def test_the_summary_tells_what_happened(first: Any) -> None:
    assert set(first) >= {"events", "people", "audiences", "lift", "planned", "accepted", "report"}
    assert first["events"] > 10 * PEOPLE
    assert set(first["audiences"]) == {
        "clicked_any_message_7d",
        "fatigue_risk_14d",
        "purchased_3d",
    }
    assert min(first["audiences"].values()) > 0
    assert first["planned"] == first["accepted"] > 0


def test_the_planted_lift_lies_in_its_interval(first: Any) -> None:
    measured = [lift for lift in first["lift"] if lift["truth"] is not None]
    assert {lift["arm"] for lift in measured} == {"messaged", "discount", "reminder"}
    outside = [
        (lift["experiment"], lift["arm"], lift["metric"])
        for lift in measured
        if not lift["ci_low"] <= lift["truth"] <= lift["ci_high"]
    ]
    assert outside == []


def test_an_experiment_nobody_was_assigned_in_has_a_reason_and_no_number(first: Any) -> None:
    refused = [lift for lift in first["lift"] if lift["experiment"] == "replenishment_holdout"]
    assert refused
    assert {lift["effect"] for lift in refused} == {None}
    assert {lift["verdict"] for lift in refused} == {"refused"}
    assert "no random holdout, no lift" in refused[0]["reason"]


def test_the_stand_in_holds_exactly_the_models_rows(first: Any, folder: Path) -> None:
    held: dict[str, set[str]] = {}
    events = set()
    for line in (folder / "fakes" / "mixpanel.ndjson").read_bytes().splitlines():
        record = json.loads(line[line.index(b"{") :])
        if "event" in record:
            events.add(record["properties"]["$insert_id"])
        else:
            for label in record.get("$union", {}).get("cio_audiences", []):
                held.setdefault(record["$distinct_id"], set()).add(label)
    with read_published(Home(folder)) as published:
        wanted = published.connection.execute(
            "select record_key from"
            f" {published.table('outbound', 'outbound_message_events')}"
            " where metric in ('delivered', 'clicked', 'unsubscribed')"
            " and made_by <> 'machine' and customer_id is not null"
        ).fetchall()
        members = published.connection.execute(
            "select customer_id, label from"
            f" {published.table('outbound', 'outbound_audience_members')}"
            " where customer_id is not null"
        ).fetchall()
    assert events == {key for (key,) in wanted}
    assert {(person, label) for person, labels in held.items() for label in labels} == set(members)
    assert first["planned"] == len(wanted) + len(members)


def test_the_report_stands_alone(first: Any) -> None:
    html = Path(first["report"]).read_text(encoding="utf-8")
    assert len(html) < 3_000_000
    assert html.count("<svg") == 4
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html


def test_a_second_run_sends_nothing(first: Any, folder: Path) -> None:
    again = demo(folder)
    assert again.exit_code == 0, again.err
    assert (again.json["planned"], again.json["accepted"]) == (0, 0)
    assert again.json["audiences"] == first["audiences"]
    assert again.json["lift"] == first["lift"]


def test_the_users_own_home_was_not_touched(first: Any, folder: Path) -> None:
    assert first
    assert not (folder.parent / "mine").exists()
