from __future__ import annotations

import gzip
import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pytest

from loaders.locations import find_files
from loaders.mparticle.batches import MPARTICLE
from loaders.run import load
from tests.loaders.mparticle.conftest import MPID
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home

    Event = Callable[..., dict[str, object]]
    Batch = Callable[..., bytes]
    Rows = list[dict[str, object]]
    Select = Callable[[str], list[tuple[object, ...]]]
    Parse = Callable[[bytes], tuple[Rows, Rows]]


@pytest.fixture
def parse_all(tmp_path: Path) -> Callable[[bytes], dict[str, Rows]]:
    """Parse the bytes of a file: the rows of every table."""

    def run(data: bytes) -> dict[str, Rows]:
        path = tmp_path / "file"
        path.write_bytes(data)
        (file,) = find_files([str(path)], suffixes=())
        found: dict[str, Rows] = {}
        with duckdb.connect() as parser:
            parser.execute("set TimeZone = 'UTC'")
            for parsed in MPARTICLE.parse(parser, file, {}):
                tables = {
                    "events": parsed.records,
                    "quarantine": parsed.quarantined,
                    **parsed.others,
                }
                for name, table in tables.items():
                    found.setdefault(name, []).extend(table.to_pylist())
        return found

    return run


ParseAll = "Callable[[bytes], dict[str, Rows]]"


def names(rows: Rows) -> list[object]:
    return [row["event_name"] for row in rows]


def test_ids_beyond_a_doubles_digits_arrive_digit_for_digit(
    home: Home, tmp_path: Path, custom: Event, batch: Batch, select: Select
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        batch(custom(-8630670138662843433)) + batch(custom(9223372036854775807), mpid=str(MPID))
    )
    load(home, "mparticle", [str(path)])
    assert select(
        "select event_id, mpid, batch_id, session_id from raw_mparticle.events order by event_id"
    ) == [
        ("-8630670138662843433", str(MPID), "-8602161397754364009", "-2271448330363288817"),
        ("9223372036854775807", str(MPID), "-8602161397754364009", "-2271448330363288817"),
    ]


def test_an_event_is_typed_and_kept_as_it_came(
    custom: Event, batch: Batch, parse_all: Callable[[bytes], dict[str, Rows]]
) -> None:
    event = custom(
        7,
        event_name="  Added To Cart ",
        custom_attributes={"size": {"eu": [40, 41]}, "big": 9007199254740993},
        source_message_id="m-1",
    )
    line = batch(
        event,
        user_identities={
            "customerid": "42",
            "email": "Ann@Example.com ",
            "mobile_number": "+15550100",
            "other_id_2": 'a"b',
            "google": None,
        },
        user_attributes={"$FirstName": "Ann", "tags": ["a", "b"]},
        consent_state={"gdpr": {"location": {"consented": True}}},
        environment="development",
    )
    (row,) = parse_all(line)["events"]
    assert row.pop("source_file")
    payload = row.pop("payload")
    assert json.loads(str(payload)) == event
    assert {name: value for name, value in row.items() if value is not None} == {
        "batch_id": "-8602161397754364009",
        "event_id": "7",
        "source_message_id": "m-1",
        "session_id": "-2271448330363288817",
        "mpid": str(MPID),
        "customer_id": "42",
        "email": "Ann@Example.com",
        "phone": "+15550100",
        "other_identities": '{"other_id_2":"a\\"b"}',
        "device_id": "3fb44a79-df2d-446d-acf1-e87eda854ae1",
        "event_type": "custom_event",
        "event_name": "  Added To Cart ",
        "custom_event_type": "other",
        "occurred_at": datetime(2019, 5, 20, 21, 38, 4, 131000),  # noqa: DTZ001 - naive UTC
        "attributes": '{"size":{"eu":[40,41]},"big":9007199254740993}',
        "user_attributes": '{"$FirstName":"Ann","tags":["a","b"]}',
        "consent": '{"gdpr":{"location":{"consented":true}}}',
        "environment": "development",
        "source_line": 1,
        "batch_position": 1,
        "event_position": 1,
    }


def test_an_event_without_a_time_has_that_of_its_batch(
    custom: Event, batch: Batch, parse: Callable[..., tuple[Rows, Rows]]
) -> None:
    data = batch(custom(1, timestamp_unixtime_ms=None)) + batch(
        custom(2), timestamp_unixtime_ms=None
    )
    rows, _ = parse("mparticle", data)
    assert [str(row["occurred_at"]) for row in rows] == [
        "2019-05-20 09:00:42.934000",
        "2019-05-20 21:38:04.131000",
    ]


IDENTITIES = [
    ({"customer_id": "1", "email": "a@b.c"}, ("1", "a@b.c", None)),
    ({"customerid": 1}, ("1", None, None)),
    (
        [
            {"identity_type": "customer_id", "identity": "1"},
            {"identity_type": "CustomerId", "identity": "2"},
            {"identity_type": "other", "identity": "x"},
        ],
        ("1", None, '{"other":"x"}'),
    ),
    ({"customer_id": " ", "email": ""}, (None, None, None)),
    ({}, (None, None, None)),
    ([], (None, None, None)),
    (None, (None, None, None)),
    ("nobody", (None, None, None)),
]


@pytest.mark.parametrize(("identities", "expected"), IDENTITIES)
def test_identities_come_as_an_object_or_as_a_list(
    custom: Event,
    batch: Batch,
    parse: Callable[..., tuple[Rows, Rows]],
    identities: object,
    expected: tuple[object, ...],
) -> None:
    (row,), quarantined = parse("mparticle", batch(custom(), user_identities=identities))
    assert (row["customer_id"], row["email"], row["other_identities"]) == expected
    assert quarantined == []


def test_what_a_commerce_event_sold_is_in_columns(
    batch: Batch, parse: Callable[..., tuple[Rows, Rows]]
) -> None:
    products = [
        {"id": "sku-1", "category": "Shoes", "price": 10.25, "quantity": 2},
        {"id": "sku-2", "price": 99, "quantity": 9, "total_product_amount": 5.5},
    ]
    action = {"action": "purchase", "transaction_id": "T-1", "products": products}

    def event(action: object) -> object:
        data = {"product_action": action, "currency_code": "usd", "event_id": 1}
        return {"event_type": "commerce_event", "data": data}

    rows, quarantined = parse(
        "mparticle",
        batch(
            event(action | {"total_amount": 30}),
            event(action),
            event(action | {"products": [*products, {"id": "gift"}]}),
            event({"action": "checkout"}),
            event(None),
        ),
    )
    assert quarantined == []
    assert [(row["total_amount"], row["products_amount"]) for row in rows] == [
        (Decimal(30), Decimal(26)),
        (None, Decimal(26)),
        (None, None),
        (None, None),
        (None, None),
    ]
    assert [row["product_action"] for row in rows] == [*["purchase"] * 3, "checkout", None]
    assert json.loads(str(rows[0]["products"])) == products
    first = (rows[0][name] for name in ("product_ids", "product_categories", "transaction_id"))
    assert tuple(first) == ('["sku-1","sku-2"]', '["Shoes"]', "T-1")
    assert rows[3]["product_ids"] is None


def test_unknown_event_types_screen_views_and_events_without_an_id_are_data(
    batch: Batch, parse: Callable[..., tuple[Rows, Rows]]
) -> None:
    rows, quarantined = parse(
        "mparticle",
        batch(
            {"event_type": "teleported", "data": {}},
            {"event_type": "screen_view", "data": {"screen_name": "Home", "event_id": "e-x1"}},
        ),
    )
    assert quarantined == []
    assert [(row["event_type"], row["screen_name"], row["event_id"]) for row in rows] == [
        ("teleported", None, None),
        ("screen_view", "Home", "e-x1"),
    ]


def test_what_a_batch_says_of_its_user_is_one_row_a_batch(
    custom: Event, batch: Batch, parse_all: Callable[[bytes], dict[str, Rows]]
) -> None:
    attributes = {"$FirstName": "Ann", "$LastName": "Lee", "created_at": 1500000000, "x": {"y": 1}}
    rows = parse_all(
        batch(custom(1), custom(2), user_attributes=attributes)
        + batch(custom(3))
        + batch(deleted_user_attributes=["x"], events=None)
        + batch(
            custom(4),
            user_attributes={"created_at": "2017-07-14T04:40:00+02:00"},
            timestamp_unixtime_ms=None,
        )
        + batch(user_attributes={"created_at": "long ago"}, events=None)
        + batch(events=None)
    )["user_attributes"]
    picked = ("source_line", "first_name", "last_name", "deleted_attributes", "created_at")
    assert sorted([tuple(row[name] for name in picked) for row in rows], key=str) == [
        (1, "Ann", "Lee", None, datetime(2017, 7, 14, 2, 40)),  # noqa: DTZ001 - naive UTC
        (3, None, None, '["x"]', None),
        (4, None, None, None, datetime(2017, 7, 14, 2, 40)),  # noqa: DTZ001 - naive UTC
        (5, None, None, None, None),
        (6, None, None, None, None),
    ]
    times = {row["source_line"]: str(row["occurred_at"]) for row in rows}
    assert times[1] == "2019-05-20 09:00:42.934000"
    assert times[4] == "2019-05-20 21:38:04.131000"


def test_opt_outs_and_changed_identities_have_tables_of_their_own(
    batch: Batch, parse_all: Callable[[bytes], dict[str, Rows]]
) -> None:
    changed = {
        "new": {"identity_type": "email", "identity": "new@example.com"},
        "old": {"identity_type": "email", "identity": None},
    }
    found = parse_all(
        batch(
            {"event_type": "opt_out", "data": {"is_opted_out": True, "event_id": 1}},
            {"event_type": "opt_out", "data": {"is_opted_out": False, "event_id": 2}},
            {"event_type": "user_identity_change", "data": changed},
        )
    )
    assert len(found["events"]) == 3
    assert sorted(
        (row["event_id"], row["is_opted_out"], row["customer_id"]) for row in found["opt_outs"]
    ) == [("1", True, "123456"), ("2", False, "123456")]
    (change,) = found["identity_changes"]
    assert (change["identity_type"], change["old_identity"], change["new_identity"]) == (
        "email",
        None,
        "new@example.com",
    )


REFUSED_BATCHES = [
    (b"\xff{}", "not valid UTF-8"),
    (b'{"events": [', "not valid JSON"),
    (b'"events"', "not a JSON object"),
    (b"7", "not a JSON object"),
    (b'{"dt": "h", "id": "x", "msgs": [{"dt": "e"}]}', "the compact format of the SDKs"),
    (b'{"type": "x", "firehose_version": "2.4", "events": []}', "a message of the Firehose SDK"),
    (b'{"EventName": "x", "EventDataType": 4, "MPID": "1"}', "the legacy format of the web SDK"),
    (b'{"event_type": "custom_event", "data": {}}', "an event without its batch"),
    (b'{"events": {"event_type": "opt_out"}}', "events is not a list"),
    (b'{"events": [], "mpid": 1}', "neither events nor user attributes nor identities"),
    (b"{}", "neither events nor user attributes nor identities"),
    (b'{"mpid": -7.636538281262557e18, "user_attributes": {}}', "mpid is not an integer"),
    (b'{"batch_id": {"a": 1}, "user_attributes": {}}', "batch_id is not an integer"),
]


@pytest.mark.parametrize(("line", "reason"), REFUSED_BATCHES)
def test_a_line_that_is_no_batch_is_quarantined_whole_and_the_others_are_read(
    custom: Event,
    batch: Batch,
    parse: Callable[..., tuple[Rows, Rows]],
    line: bytes,
    reason: str,
) -> None:
    rows, quarantined = parse("mparticle", batch(custom(1)) + line + b"\n" + batch(custom(2)))
    assert [(row["event_id"], row["source_line"]) for row in rows] == [("1", 1), ("2", 3)]
    ((found, number, original),) = [
        (row["reason"], row["source_line"], row["original_bytes"]) for row in quarantined
    ]
    assert str(found).startswith(reason)
    assert (number, original) == (2, line)


REFUSED_EVENTS = [
    (7, "an event is not a JSON object"),
    ({"EventName": "x", "EventDataType": 4}, "an event in the legacy format of the web SDK"),
    ({"data": {}}, "event_type is missing"),
    ({"event_type": "custom_event"}, "data is missing"),
    ({"event_type": "custom_event", "data": "x"}, "data is missing"),
    ({"event_type": "custom_event", "data": {"event_name": " "}}, "event_name is missing"),
    ({"event_type": "screen_view", "data": {}}, "screen_name is missing"),
    ({"event_type": "opt_out", "data": {}}, "is_opted_out is missing"),
    (
        {"event_type": "x", "data": {"timestamp_unixtime_ms": 1558388284}},
        "timestamp_unixtime_ms is not in unix milliseconds",
    ),
    (
        {"event_type": "x", "data": {"timestamp_unixtime_ms": "noon"}},
        "timestamp_unixtime_ms is not in unix milliseconds",
    ),
    ({"event_type": "x", "data": {"event_id": 3.12e16}}, "event_id is not an integer"),
]


@pytest.mark.parametrize(("bad", "reason"), REFUSED_EVENTS)
def test_an_event_that_is_none_is_quarantined_alone(
    custom: Event,
    batch: Batch,
    parse: Callable[..., tuple[Rows, Rows]],
    bad: object,
    reason: str,
) -> None:
    rows, quarantined = parse("mparticle", batch(custom(1), bad, custom(2)))
    assert [(row["event_id"], row["event_position"]) for row in rows] == [("1", 1), ("2", 3)]
    assert [str(row["reason"]).startswith(reason) for row in quarantined] == [True]
    assert json.loads(quarantined[0]["original_bytes"]) == bad  # type: ignore[arg-type]


def test_a_time_neither_in_the_event_nor_in_its_batch_is_refused(
    custom: Event, batch: Batch, parse: Callable[..., tuple[Rows, Rows]]
) -> None:
    line = batch(custom(timestamp_unixtime_ms=None), timestamp_unixtime_ms="x")
    rows, quarantined = parse("mparticle", line)
    assert rows == []
    assert "timestamp_unixtime_ms is missing" in str(quarantined[0]["reason"])


@pytest.mark.parametrize("indent", [None, 2])
def test_a_file_may_be_one_batch_or_a_list_of_them_pretty_or_not(
    custom: Event,
    batch: Batch,
    parse: Callable[..., tuple[Rows, Rows]],
    indent: int | None,
) -> None:
    one, other = json.loads(batch(custom(1), custom(2))), json.loads(batch(custom(3)))
    rows, _ = parse("mparticle", json.dumps(one, indent=indent).encode())
    assert [row["event_id"] for row in rows] == ["1", "2"]
    rows, quarantined = parse("mparticle", json.dumps([one, 7, other], indent=indent).encode())
    assert [(row["event_id"], row["batch_position"]) for row in rows] == [
        ("1", 1),
        ("2", 1),
        ("3", 3),
    ]
    assert [(row["reason"], row["original_bytes"]) for row in quarantined] == [
        ("not a JSON object", b"7")
    ]


def test_a_list_with_a_batch_a_line_is_read(
    custom: Event, batch: Batch, parse: Callable[..., tuple[Rows, Rows]]
) -> None:
    lines = [batch(custom(n)).strip() for n in (1, 2)]
    rows, quarantined = parse("mparticle", b"[" + b",\n".join(lines) + b"]\n")
    assert ([row["event_id"] for row in rows], quarantined) == (["1", "2"], [])


def test_a_load_counts_duplicates_and_takes_a_file_once(
    home: Home, tmp_path: Path, custom: Event, batch: Batch, select: Select
) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "1.jsonl").write_bytes(batch(custom(1), custom(2), user_attributes={"a": 1}))
    (folder / "2.jsonl.gz").write_bytes(gzip.compress(batch(custom(2)) + b"{}\n"))
    report = load(home, "mparticle", [str(folder)])
    assert (report.files, report.records, report.duplicates, report.quarantined) == (2, 3, 1, 1)
    report = load(home, "mparticle", [str(folder)])
    assert (report.files, report.files_skipped, report.records) == (0, 2, 0)
    assert select("select count(*) from raw_mparticle.events") == [(3,)]
    assert select("select attributes from raw_mparticle.user_attributes") == [('{"a":1}',)]
    assert select("select feed, count(*) from raw_mparticle.quarantine group by 1") == [
        ("mparticle", 1)
    ]


def test_no_column_can_be_mapped(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none, for its format is fixed"):
        load(home, "mparticle", [str(tmp_path)], columns={"mpid": "id"})
