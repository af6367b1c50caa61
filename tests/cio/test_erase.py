"""`cio erase`: nothing names the person afterwards, and everybody else is still there.

One world serves the module, and each test erases somebody else.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

import duckdb
import httpx
import orjson
import pytest

from cio.erase import Erasure, erase, readmit
from cio.erase_rows import Person, count_rows, erase_rows
from fakes import mixpanel
from fakes.mixpanel_deletions import GDPR_TOKEN
from fakes.server import serve_in_thread
from loaders.receiver.archive import archive_folder
from loaders.run import load
from reverse_etl.run import Room, run_syncs
from tests.cio.command import cio_here
from tests.reverse_etl.world import World, event, md5, member
from warehouse.connection import read_published
from warehouse.erased import read_tombstones
from warehouse.errors import UsageError
from warehouse.stop_list import digest, stop_list_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

LINE = (
    '{{"event_id": "{n}{metric}", "object_type": "email", "metric": "{metric}",'
    ' "timestamp": 1788048000, "data": {{"delivery_id": "delivery-{n}", "campaign_id": {n},'
    ' "identifiers": {{"id": "customer-{n}", "email": "{n}@example.com", "cio_id": "cio-{n}"}}}}}}'
)
IDENTIFIERS = """
select 'person-' || n as person_id, unnest(['customer_id', 'email', 'cio_id', 'email'])
    as identifier_type,
    unnest(['customer-' || n, n || '@example.com', 'cio-' || n, 'family@example.com'])
    as identifier, unnest([false, false, false, true]) as is_shared
from generate_series(1, 12) as numbers(n)
"""


@pytest.fixture(scope="module")
def vendor() -> Iterator[str]:
    with serve_in_thread(mixpanel.create_app()) as url:
        yield url


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, vendor: str) -> Iterator[World]:
    """Twelve people, their events, orders and lists: loaded, built, published and sent."""
    tmp_path = tmp_path_factory.mktemp("erase")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        patch.setenv("DLT_PROJECT_DIR", str(tmp_path))
        patch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", mixpanel.TOKEN)
        patch.setenv("REVERSE_ETL__MIXPANEL__BASE_URL", vendor)
        yield _made(tmp_path)


def _made(tmp_path: Path) -> World:
    world = World.make(tmp_path)
    lines = [
        LINE.format(n=n, metric=metric) for n in range(1, 13) for metric in ("sent", "clicked")
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\nbroken 1@example.com\n")
    orders = [f"o{n},customer-{n},2026-01-01,10,EUR" for n in range(1, 13)]
    header = "order_id,customer_id,ordered_at,total_amount,currency"
    (tmp_path / "orders.csv").write_text("\n".join([header, *orders]) + "\n")
    refunds = [f"r{n},o{n},2026-01-02,1" for n in range(1, 13)]
    (tmp_path / "refunds.csv").write_text(
        "\n".join(["refund_id,order_id,refunded_at,amount", *refunds])
    )
    for feed, file in (
        ("webhooks", "events.jsonl"),
        ("orders", "orders.csv"),
        ("refunds", "refunds.csv"),
    ):
        load(world.home, feed, [str(tmp_path / file)])
    packed = archive_folder(world.home) / "2026-08-30"
    packed.mkdir(parents=True)
    (packed / "20260830T000000-0-1.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (world.home.spool / "webhooks").mkdir()
    (world.home.spool / "webhooks" / "20260901T000000-0-1.jsonl").write_text(lines[0] + "\n")
    world.declare_members()
    world.declare_events()
    world.build(
        members=[member(n) for n in range(1, 13)],
        events=[event(n) for n in range(1, 13)],
        tables={
            "marts.person_identifiers": IDENTIFIERS,
            "marts.people": "select 'person-' || n as person_id, n || '@example.com' as email "
            "from generate_series(1, 12) as numbers(n)",
        },
    )
    assert all(run.state == "done" for run in run_syncs(Room(world.home, world.manifest)))
    with read_published(world.home):
        pass
    return world


def erased(world: World, identifier: str) -> Erasure:
    return erase(Room(world.home, world.manifest), identifier, on_step=lambda _text: None)


def count(world: World, table: str) -> int:
    return int(world.query(f"select count(*) from {table}")[0][0])


def members(vendor: str) -> set[str]:
    profiles: Any = httpx.get(f"{vendor}/_fake/profiles", trust_env=False).json()
    return {person for person, one in profiles.items() if one.get("cio_audiences")}


def bytes_of(folder: Path) -> bytes:
    """Everything that lies in a home, packed files unpacked."""
    found = b""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found += gzip.decompress(data) if path.suffix == ".gz" else data
    return found


def test_nothing_names_the_person_and_everybody_else_is_there(world: World, vendor: str) -> None:
    assert b"1@example.com" in bytes_of(world.home.root)
    before = count(world, "marts.people")
    done = erased(world, "1@EXAMPLE.com ")
    assert done.is_complete
    assert done.rows_left == 0
    assert done.rows["raw_customerio.webhook_events"] == 2
    assert done.rows["raw_customerio.quarantine"] == 1
    assert done.rows["raw_commerce.orders"] == 1
    assert done.rows["raw_commerce.refunds"] == 1  # by the order, for it names nobody
    assert done.events == 3
    assert "customer-1" not in members(vendor)
    assert "customer-11" in members(vendor)
    assert count(world, "marts.people") == before - 1
    rest = bytes_of(world.home.root)
    # 11@example.com ends like it, and is another
    assert b"11@example.com" in rest
    assert b"customer-11" in rest
    assert rest.replace(b"11@example.com", b"").count(b"1@example.com") == 0
    with read_published(world.home) as published:
        people = published.connection.execute("select person_id from marts.people").fetchall()
    assert len(people) == before - 1

    # an address that others have too stays with them
    assert done.shared == 1
    assert count(world, "marts.person_identifiers where is_shared") == before - 1

    # receipts keep what was done, under a hash
    rows = world.query(
        "select sync, operation, starts_with(identifier, 'erased:'), outcome "
        "from raw_reverse_etl.receipts where starts_with(person_id, 'erased:') order by all"
    )
    assert rows == [
        ("events", "append", True, "accepted"),
        ("members", "add", True, "accepted"),
        ("members", "remove", True, "accepted"),
    ]
    journals = duckdb.sql(
        f"select count(*) from read_parquet('{world.home.journals}/*/*/plan.parquet') "
        "where person_id = 'person-1' or identifier = 'customer-1'"
    ).fetchall()
    assert journals == [(0,)]

    # the proof has hashes and no identifier, and says what a sync cannot take back
    case = world.home.root / "erasures" / done.case
    text = (case / "proof.json").read_text()
    assert read_tombstones(stop_list_path(world.home)).of(digest("1@example.com")) in text
    assert digest("1@example.com") not in text
    assert "1@example.com" not in text
    assert "customer-1" not in text
    assert not (case / "case.json").exists()
    assert any("mixpanel was sent 1 events" in words for words in done.left)

    # again finds nothing more, and the proof stands
    again = erased(world, "1@example.com")
    assert again.is_complete
    assert (again.rows, again.events, again.journal_rows) == ({}, 0, 0)
    proof = json.loads((case / "proof.json").read_text())
    assert proof["rows"]["raw_customerio.webhook_events"] == 2


def test_an_account_that_is_no_longer_set_keeps_the_case_open(
    world: World, vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", "0" * 32)
    first = erased(world, "customer-3")
    assert not first.is_complete
    assert first.rows["raw_customerio.webhook_events"] == 2
    assert any("another account" in words for words in first.left)
    assert (world.home.root / "erasures" / first.case / "case.json").exists()
    assert "customer-3" in members(vendor)
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", mixpanel.TOKEN)
    assert erased(world, "customer-3").is_complete
    assert "customer-3" not in members(vendor)


def test_a_destination_that_refuses_keeps_the_case_open_until_it_takes_it(
    world: World, vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__GDPR_TOKEN", GDPR_TOKEN)
    refusal = {"kind": "status", "status": 401, "path": "/engage", "times": 2}
    httpx.post(f"{vendor}/_fake/script", json=[refusal], trust_env=False)
    first = erased(world, "customer-5")
    assert not first.is_complete
    assert any("$delete): refuses the credentials (401)" in words for words in first.left)
    assert "customer-5" in members(vendor)
    done = erased(world, "customer-5")
    assert done.is_complete
    assert done.left == ()
    assert "customer-5" not in members(vendor)

    # what no sync takes back, the vendor was asked to delete, once, and the proof says so
    tasks: Any = httpx.get(f"{vendor}/_fake/deletions", trust_env=False).json()
    assert [task["distinct_ids"] for task in tasks] == [["customer-5"]]
    case = world.home.root / "erasures" / done.case
    proof = json.loads((case / "proof.json").read_text())
    assert [(one["covers"], one["reply_id"]) for one in proof["requests"]] == [
        ("everything", tasks[0]["tracking_id"]),
        ("profile", None),
    ]
    assert b"customer-5" not in bytes_of(case)

    # weeks later the vendor has done it, and the proof says that, too
    httpx.post(f"{vendor}/_fake/deletions", json="SUCCESS", trust_env=False)
    said = cio_here("erase", "--status", "--json", home=world.home.root)
    assert said.exit_code == 0, said.err
    (told,) = [one for one in said.json["cases"] if one["case"] == done.case]
    proof = json.loads((case / "proof.json").read_text())
    assert proof["requests"] == told["requests"]
    assert [(one["state"], one["end"]) for one in proof["requests"]] == [
        ("SUCCESS", "done"),
        ("deleted", "done"),
    ]
    signed = orjson.dumps(
        {name: value for name, value in proof.items() if name != "sha256"},
        option=orjson.OPT_SORT_KEYS,
    )
    assert proof["sha256"] == hashlib.sha256(signed).hexdigest()
    both = cio_here("erase", "customer-5", "--status", home=world.home.root)
    assert (both.exit_code, "--status" in both.err) == (2, True)


def test_killed_after_any_step_and_run_again_it_ends_the_same(world: World) -> None:
    class Killed(BaseException):
        pass

    for last in (1, 4):
        steps: list[str] = []

        def stop(text: str, last: int = last, steps: list[str] = steps) -> None:
            steps.append(text)
            if len(steps) > last:
                raise Killed

        with pytest.raises(Killed):
            erase(Room(world.home, world.manifest), "4@example.com", on_step=stop)
    assert erased(world, "4@example.com").is_complete
    assert b"4@example.com" not in bytes_of(world.home.root)


def test_later_syncs_send_nothing_from_a_source_that_still_has_them(
    world: World, vendor: str
) -> None:
    erased(world, "customer-2")
    lines = [json.loads(line) for line in stop_list_path(world.home).read_text().splitlines()]
    assert {line["kind"] for line in lines} == {"salt", "erasure"}
    tombstones = read_tombstones(stop_list_path(world.home))
    assert tombstones.has(digest("customer-2"))
    assert digest("customer-2") not in {line["identifier"] for line in lines}
    world.build(members=[member(2), member(6)], events=[])
    runs = run_syncs(Room(world.home, world.manifest, select=["members"]))
    assert runs[0].plan is not None
    assert runs[0].plan.adds == 1
    assert "customer-2" not in members(vendor)


@pytest.mark.usefixtures("vendor")
def test_an_id_of_two_people_is_not_guessed_at(world: World) -> None:
    with pytest.raises(UsageError, match="several people"):
        erased(world, "family@example.com")
    assert not read_tombstones(stop_list_path(world.home)).has(digest("family@example.com"))


def test_what_a_source_still_has_stays_out_until_the_person_comes_back(world: World) -> None:
    erased(world, "customer-7")
    folder = world.home.root.parent
    feeds = {"webhooks": "events.jsonl", "orders": "orders.csv", "refunds": "refunds.csv"}
    tables = ("raw_customerio.webhook_events", "raw_commerce.orders", "raw_commerce.refunds")
    before = [count(world, table) for table in tables]

    def load_again(name: str, *chosen: str) -> list[tuple[int, int]]:
        found = []
        for feed in chosen:
            file = feeds[feed]
            copy = folder / f"{name}-{file}"
            copy.write_bytes((folder / file).read_bytes())
            report = load(world.home, feed, [str(copy)])
            found.append((report.records, report.erased))
        return found

    # the others of the module were erased, too; refunds name nobody but their order
    others = read_tombstones(stop_list_path(world.home))
    gone = sum(others.has(digest(f"customer-{n}")) for n in range(1, 13))
    assert load_again("again", *feeds) == [
        (24 - 2 * gone, 2 * gone),
        (12 - gone, gone),
        (12 - gone, gone),
    ]
    added = [24 - 2 * gone, 12 - gone, 12 - gone]
    assert [count(world, table) for table in tables] == [
        there + new for there, new in zip(before, added, strict=True)
    ]
    rest = [count(world, f"{table} where payload like '%customer-7%'") for table in tables[:2]]
    assert rest == [0, 0]

    assert readmit(world.home, " 7@Example.com") > 3
    with pytest.raises(UsageError, match="in again"):
        readmit(world.home, "7@example.com")
    assert load_again("back", "webhooks") == [(24 - 2 * (gone - 1), 2 * (gone - 1))]
    assert count(world, "raw_customerio.webhook_events where customer_id = 'customer-7'") == 2


def test_what_was_drawn_and_observed_of_somebody_before_a_merge_goes_too(world: World) -> None:
    """By then they had another person_id: that of an address, or of an id in capitals."""
    world.query(
        "create schema if not exists raw_draws; create table raw_draws.assignments as "
        "select person_id, person_id as first_person_id from (values (md5('email:9@example.com')), "
        "(md5('id:customer-9')), (md5('email:family@example.com')), ('person-9'), ('person-6')) "
        "as drawn(person_id); select 1"
    )
    erased(world, "9@example.com")
    assert world.query("select person_id from raw_draws.assignments order by 1") == sorted(
        [(md5("email:family@example.com"),), ("person-6",)]
    )


def test_a_short_id_takes_nobody_else_with_it() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table people as select * from (values "
            "('7', 5, '{\"campaign_id\": \"7\"}'), ('8', 7, '{\"campaign_id\": \"7\"}')) "
            "as t(customer_id, campaign_id, payload)"
        )
        person = Person((md5("p"),), ("7",))
        assert erase_rows(connection, person, has_receipts=True) == {"main.people": 1}
        assert connection.execute("select customer_id from people").fetchall() == [("8",)]
        assert count_rows(connection, person, has_receipts=True) == 0
