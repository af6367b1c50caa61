"""The whole loop, as a newcomer runs it."""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml

from cio.demo import VENDORS
from cio.notebook_command import notebook_file
from cio.notebook_page import write_notebook_page
from cio.notebooks import NOTEBOOKS
from tests.chromium import open_page
from tests.cio.asked import ask
from tests.cio.command import Said, cio
from tests.conftest import ROOT
from warehouse.connection import read_published
from warehouse.home import Home

if TYPE_CHECKING:
    from typing import TypeAlias

    Summary: TypeAlias = dict[str, Any]
    Wanted: TypeAlias = tuple[set[str], set[tuple[str, str]]]

pytestmark = pytest.mark.slow

# as many as `make demo` shows, whose intervals all have the truth in them: of smaller worlds one
# in twenty does not
PEOPLE = 12_000
# marts that this world has anything for
FILLED = 60
# platforms that get hashes, and a few audiences each
ADS = ("google", "meta", "tiktok")
OTHERS = (*ADS, "customerio", "files", "klaviyo", "slack", "webhook")
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


def test_each_mart_answers_its_questions(first: Summary, folder: Path, manifest_file: Path) -> None:
    assert first
    found = ask(Home(folder), manifest_file)
    assert [one for one in found if one.of and not one.rows] == []
    # a shop's own app and the App API are not in this world, and so some tables are empty
    filled = {one.table for one in found if one.of}
    assert len(filled) >= FILLED
    assert {"paid_reach", "paid_efficiency_daily"} <= filled


@pytest.fixture(scope="module")
def wanted(first: Summary, folder: Path) -> Wanted:
    """What the models say every vendor should have: keys of events, and members by label."""
    assert first
    return _wanted(folder, ("delivered", "clicked", "unsubscribed"))


@pytest.fixture(scope="module")
def wanted_of_amplitude(first: Summary, folder: Path) -> Wanted:
    """The same for the vendor that bills by the event, which is not told of deliveries."""
    assert first
    return _wanted(folder, ("clicked", "unsubscribed"))


def _wanted(folder: Path, metrics: tuple[str, ...]) -> Wanted:
    with read_published(Home(folder)) as published:
        events = published.connection.execute(
            f"select record_key from {published.table('outbound', 'outbound_message_events')}"
            " where list_contains(?, metric)"
            " and made_by <> 'machine' and customer_id is not null",
            [list(metrics)],
        ).fetchall()
        members = published.connection.execute(
            "select customer_id, label"
            f" from {published.table('outbound', 'outbound_audience_members')}"
            " where customer_id is not null"
        ).fetchall()
    assert events
    assert members
    return {key for (key,) in events}, set(members)


def test_every_row_is_planned_once_a_vendor(
    first: Summary, wanted: Wanted, wanted_of_amplitude: Wanted, folder: Path
) -> None:
    events, members = wanted
    with read_published(Home(folder)) as published:
        ((described,),) = published.connection.execute(
            "select count(customer_id)"
            f" from {published.table('outbound', 'outbound_person_properties')}"
        ).fetchall()
    assert described > 0
    planned = {sync["name"]: sync["planned"] for sync in first["syncs"]}
    assert {name: planned[name] for name in planned if not name.startswith(OTHERS)} == {
        f"{vendor}_{name}": len(rows)
        for vendor in VENDORS.keys() - set(OTHERS)
        for name, rows in (("message_events", events), ("audience_members", members))
        # nobody reads segments in a world without an App API
    } | {
        "amplitude_message_events": len(wanted_of_amplitude[0]),
        "mixpanel_segment_members": 0,
        "mixpanel_campaign_lookup": 1,
        "amplitude_person_properties": described,
        "mixpanel_person_properties": described,
        "segment_person_properties": described,
    }


def ad_lists(folder: Path, platform: str) -> set[str]:
    """Everything an ad platform was told about people, which must be digests and nothing else."""
    told = set()
    for record in kept(folder, platform):
        told |= {text for row in record["rows"] for text in row.values()}
    return told


@pytest.mark.parametrize("platform", ADS)
def test_an_ad_platform_is_told_digests_alone(first: Summary, folder: Path, platform: str) -> None:
    planned = {sync["name"]: sync["planned"] for sync in first["syncs"]}
    assert planned[f"{platform}_suppressed_members"] > 0
    assert planned[f"{platform}_retargeted_members"] > 0
    told = ad_lists(folder, platform)
    assert told
    assert {text for text in told if not re.fullmatch("[0-9a-f]{64}", text)} == set()


def test_no_address_or_phone_of_anybody_is_in_what_ad_syncs_wrote_down(
    first: Summary, folder: Path
) -> None:
    assert first
    with read_published(Home(folder)) as published:
        people = published.connection.execute(
            f"select email, phone, last_name from {published.table('marts', 'people')}"
        ).fetchall()
    plain = {text.lower() for email, phone, _ in people for text in (email, phone) if text}
    assert len(plain) > PEOPLE
    written = b""
    for sync in ("suppressed_members", "retargeted_members", "lookalike_seed"):
        for platform in ADS:
            for path in (folder / "journals").rglob("*"):
                if f"{platform}_{sync}" in str(path) and path.is_file():
                    written += as_text(path)
    assert b"planned" in written
    # no address has no @, and the world's phones have eleven digits
    assert re.findall(b'[^" ]+@', written) == []
    digits = {number.decode() for number in re.findall(rb"[0-9]{11}", written)}
    assert {"+" + number for number in digits} & plain == set()
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as connection:
        identifiers = connection.execute(
            "select distinct identifier from raw_reverse_etl.receipts where sync similar to $ads",
            {"ads": f"({'|'.join(ADS)})_.*"},
        ).fetchall()
    assert identifiers
    digests = re.compile('[{]("[A-Za-z_0-9]+":"[0-9a-f]{64}",?)+[}]')
    assert [one for (one,) in identifiers if not digests.fullmatch(one)] == []


def as_text(path: Path) -> bytes:
    """A file as it reads; a plan is packed, so its columns are."""
    if path.suffix != ".parquet":
        return path.read_bytes()
    return json.dumps(pq.read_table(path).to_pylist(), default=str).encode()


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
    traits = [call for call in calls if call["type"] == "identify"]
    told = {call["userId"] for call in traits if "cio_fatigue_tier" not in call["traits"]}
    assert told == {person for person, _ in entered}


def test_amplitude_holds_exactly_the_models_rows(wanted_of_amplitude: Wanted, folder: Path) -> None:
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
    assert (set(events), members) == wanted_of_amplitude


CUSTOMERIO = {
    "people": "outbound_customerio_people",
    "opt_outs": "outbound_customerio_people where is_opted_out",
    "events": "outbound_customerio_events",
    "mparticle_audiences": "outbound_customerio_segment_members where origin = 'mparticle'",
}


def test_customerio_holds_exactly_the_models_rows(first: Summary, folder: Path) -> None:
    planned = {sync["name"]: sync["planned"] for sync in first["syncs"]}
    with read_published(Home(folder)) as published:
        schema = published.schema("outbound")
        rows = {
            name: published.connection.execute(
                f"select profile_key, label, payload, person_id from warehouse.{schema}.{source}"
            ).fetchall()
            for name, source in CUSTOMERIO.items()
        }
        consent = published.table("marts", "person_consent")
        opted_out = published.connection.execute(
            f"select person_id from {consent} where is_opted_out"
        ).fetchall()
    out = {person for (person,) in opted_out}
    members = {
        (key, label) for key, label, _, person in rows["mparticle_audiences"] if person not in out
    }
    assert planned["customerio_people"] == len(rows["people"]) > 100
    assert planned["customerio_opt_outs"] == len(rows["opt_outs"]) > 0
    assert planned["customerio_mparticle_audiences"] == len(members) > 0
    # who has neither id nor address is forwarded nowhere, and counted
    assert 0 < planned["customerio_events"] < len(rows["events"])
    assert planned["customerio_segment_members"] > planned["customerio_suppressed_members"] > 0

    records = kept(folder, "customerio")
    written = {
        record["identifiers"]["id"]: record["attributes"]
        for record in records
        if record.get("action") == "identify" and "id" in record["identifiers"]
    }
    assert written == {
        key.removeprefix("id:"): json.loads(payload)
        for key, _, payload, _ in rows["people"]
        if key.startswith("id:")
    }
    events = [record["id"] for record in records if record.get("action") == "event"]
    assert len(events) == len(set(events)) == planned["customerio_events"]
    names = {
        str(each["segment"]["id"]): each["segment"]["name"] for each in records if "segment" in each
    }
    added = {
        (f"cio:{name}", names[record["in"]])
        for record in records
        if record.get("operation") == "add"
        for name in record["ids"]
    }
    assert {pair for pair in added if pair[1].startswith("mParticle |")} == members


def test_klaviyo_holds_exactly_the_models_rows(first: Summary, folder: Path) -> None:
    planned = {sync["name"]: sync["planned"] for sync in first["syncs"]}
    with read_published(Home(folder)) as published:
        described = published.connection.execute(
            "select email, payload"
            f" from {published.table('outbound', 'outbound_person_properties')}"
            " where email is not null"
        ).fetchall()
        members = published.connection.execute(
            "select label, count(*), count(distinct email)"
            f" from {published.table('outbound', 'outbound_audience_members')}"
            " where email is not null and audience in"
            " ('purchased_3d', 'cooling_off_7d', 'fatigue_risk_14d', 'unsubscribed_ever')"
            " group by label"
        ).fetchall()
    records = kept(folder, "klaviyo")
    assert planned["klaviyo_person_properties"] == len(described) > 0
    assert planned["klaviyo_suppressed_members"] == sum(rows for _, rows, _ in members) > 0
    told = {
        (record["attributes"]["email"], json.dumps(record["attributes"]["properties"]))
        for record in records
        if "attributes" in record
    }
    assert told == {(email, json.dumps(_told(payload))) for email, payload in described}
    # no profile was made for anybody
    assert {record["profile"] is None for record in records if "attributes" in record} == {False}
    names = {record["list"]: record["name"] for record in records if "name" in record}
    there: dict[str, set[str]] = {}
    for record in records:
        if "operation" in record:
            there.setdefault(names[record["list"]], set()).update(record["profiles"])
    assert {name: len(people) for name, people in there.items()} == {
        label: people for label, _, people in members
    }


def test_slack_is_told_of_the_last_week_and_of_no_person(first: Summary, folder: Path) -> None:
    planned = {sync["name"]: sync["planned"] for sync in first["syncs"]}
    messages = kept(folder, "slack")
    # older weeks are not told of any more
    assert len(messages) == planned["slack_weekly_numbers"] == 1
    (message,) = messages
    assert message["text"].startswith("Week of ")
    assert "email" in message["blocks"][1]["text"]["text"]
    assert "@" not in json.dumps(message)


def test_files_hold_exactly_the_models_rows(first: Summary, wanted: Wanted, folder: Path) -> None:
    planned = {sync["name"]: sync["planned"] for sync in first["syncs"]}
    exported = folder / "files" / "audience_members"
    manifests = [json.loads(path.read_bytes()) for path in exported.glob("*.manifest.json")]
    rows = []
    for manifest in manifests:
        content = (exported / manifest["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == manifest["sha256"]
        rows += pq.read_table(io.BytesIO(content)).to_pylist()
    assert len(rows) == planned["files_audience_members"] == sum(m["rows"] for m in manifests)
    assert {(row["identifier"], row["label"]) for row in rows} == wanted[1]


def test_the_endpoint_of_ones_own_holds_every_tier(first: Summary, folder: Path) -> None:
    planned = {sync["name"]: sync["planned"] for sync in first["syncs"]}
    with read_published(Home(folder)) as published:
        tiers = published.connection.execute(
            "select customer_id, tier"
            f" from {published.table('marts', 'person_fatigue')}"
            f" inner join {published.table('marts', 'people')} using (person_id)"
            " where tier is not null and customer_id is not null"
        ).fetchall()
    rows = kept(folder, "webhook")
    assert {(row["identifier"], row["properties"]["fatigue_tier"]) for row in rows} == set(tiers)
    assert len(rows) == planned["webhook_fatigue_tiers"] == len(tiers) > 0


def _told(payload: str) -> dict[str, Any]:
    return {key: value for key, value in json.loads(payload).items() if value is not None}


def kept(folder: Path, vendor: str) -> list[Any]:
    """What a stand-in accepted."""
    lines = (folder / "fakes" / f"{vendor}.ndjson").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def test_the_report_stands_alone(first: Summary) -> None:
    html = Path(first["report"]).read_text(encoding="utf-8")
    assert len(html) < 3_000_000
    for section in ("needs a decision", "What changed", "Lift", "Fatigue", "Audiences"):
        assert section in html
    assert html.count("<svg") >= 2 * 6
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_becomes_a_page_that_needs_no_network(
    first: Summary, folder: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first
    monkeypatch.setenv("CIO_HOME", str(folder))
    path = write_notebook_page(notebook_file(name), title=name, output=tmp_path / "page.html")
    html = path.read_text(encoding="utf-8")
    assert "<h1" in html
    # the demo's build came before its syncs
    assert name == "sync_health" or html.count("<svg") >= 4
    assert "marimo-" not in html
    with open_page(tmp_path / "profile") as page:
        page.show(path, width=390)
        assert not page.ask("document.documentElement.scrollWidth > window.innerWidth")
        assert page.problems == []
        assert all(address.startswith(("file:", "data:")) for address in page.requests)


def test_a_second_run_sends_nothing(first: Summary, folder: Path) -> None:
    again = demo(folder)
    assert again.exit_code == 0, again.err
    assert (again.json["planned"], again.json["accepted"]) == (0, 0)
    assert again.json["audiences"] == first["audiences"]
    assert again.json["lift"] == first["lift"]


def test_the_users_own_home_was_not_touched(first: Summary, folder: Path) -> None:
    assert first
    assert not (folder.parent / "mine").exists()
