"""One feed, one mapping, three formats: CSV, JSON and parquet say the same."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.run import load
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home

    Select = Callable[[str], list[tuple[object, ...]]]

ORDERS = (
    "select order_id, customer_id, email, ordered_at, currency, total_amount, is_cancelled, "
    "source_line from raw_commerce.orders order by order_id"
)
EXPECTED = [
    (
        "1",
        "c1",
        None,
        datetime.fromisoformat("2026-01-01 10:00"),
        "EUR",
        Decimal("0.1000"),
        None,
        1,
    ),
    (
        "2",
        None,
        "b@example.com",
        datetime.fromisoformat("2026-01-02 10:00"),
        "USD",
        Decimal("12345678901234.5600"),
        True,
        2,
    ),
]
MAPPING = {
    "order_id": "id",
    "customer_id": "customer.id",
    "email": "customer.email",
    "ordered_at": "placed",
    "total_amount": "totals.paid",
}
JSON_ORDERS = (
    {
        "id": 1,
        "customer": {"id": "c1"},
        "placed": "2026-01-01T10:00:00Z",
        "currency": "EUR",
        "totals": {"paid": 0.1},
    },
    {
        "id": 2,
        "customer": {"email": " b@example.com "},
        "placed": "2026-01-02T12:00:00+02:00",
        "currency": "USD",
        "totals": {"paid": "12345678901234.56"},
        "is_cancelled": True,
    },
)


def test_json_lines_are_read_by_dotted_paths(home: Home, select: Select, tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_text("".join(json.dumps(order) + "\n" for order in JSON_ORDERS))
    report = load(home, "orders", [str(path)], columns=MAPPING)
    assert (report.loaded, report.quarantined) == (2, 0)
    assert select(ORDERS) == EXPECTED
    assert (
        json.loads(str(select("select payload from raw_commerce.orders order by 1")[0][0]))
        == (JSON_ORDERS[0])
    )


def test_one_json_list_is_its_objects(home: Home, select: Select, tmp_path: Path) -> None:
    path = tmp_path / "orders.json.gz"
    document = json.dumps([*JSON_ORDERS, 7], indent=2)
    path.write_bytes(gzip.compress(document.encode()))
    report = load(home, "orders", [str(path)], columns=MAPPING)
    assert (report.loaded, report.reasons) == (2, {"not a JSON object": 1})
    assert [row[:7] for row in select(ORDERS)] == [row[:7] for row in EXPECTED]
    assert select("select original_bytes from raw_commerce.quarantine") == [(b"7",)]


def test_parquet_is_read_by_columns_and_by_paths_into_structs(
    home: Home, select: Select, tmp_path: Path
) -> None:
    path = tmp_path / "orders.parquet"
    table = pa.table(
        {
            "ID": pa.array([1, 2], pa.int64()),
            "customer": pa.array(
                [{"id": "c1", "email": None}, {"id": None, "email": "b@example.com"}]
            ),
            "placed": pa.array(
                [datetime(2026, 1, 1, 10, tzinfo=UTC), datetime(2026, 1, 2, 10, tzinfo=UTC)],
                pa.timestamp("ns", "Europe/Berlin"),
            ),
            "currency": ["EUR", "USD"],
            "totals": pa.array(['{"paid": 0.1}', '{"paid": "12345678901234.56"}']),
            "is_cancelled": pa.array([None, True]),
        }
    )
    pq.write_table(table, path)
    report = load(home, "orders", [str(path)], columns=MAPPING)
    assert (report.loaded, report.quarantined) == (2, 0)
    assert select(ORDERS) == EXPECTED
    again = load(home, "orders", [str(path)], columns=MAPPING)
    assert (again.files, again.files_skipped) == (0, 1)


def test_what_no_json_object_is_does_not_stop_the_file(
    home: Home, select: Select, tmp_path: Path
) -> None:
    path = tmp_path / "orders.jsonl"
    good = json.dumps(JSON_ORDERS[0]).encode()
    bad = [b"{", b'"text"', b"\xff{}", b"{}", b'{"id": 3, "totals": {"paid": "much"}}']
    path.write_bytes(b"\n".join([*bad, good]))
    report = load(home, "orders", [str(path)], columns=MAPPING)
    assert report.loaded == 1
    rows = select(
        "select source_line, reason, original_bytes from raw_commerce.quarantine order by 1"
    )
    assert rows == [
        (1, "not valid JSON", bad[0]),
        (2, "not a JSON object", bad[1]),
        (3, "not valid UTF-8", bad[2]),
        (4, "order_id is empty", bad[3]),
        (5, "ordered_at is empty", bad[4]),
    ]


def test_a_key_with_a_dot_wins_over_the_path(home: Home, select: Select, tmp_path: Path) -> None:
    path = tmp_path / "rates.jsonl"
    path.write_text(
        '{"c.code": "USD", "c": {"code": "no"}, "rate": 0.9, "since": ["2026-01-01"]}\n'
        '{"c": {"code": "GBP"}, "rate": 1.15, "since": ["2026-01-02", "x"]}\n'
    )
    load(
        home, "currency_rates", [str(path)], columns={"currency": "c.code", "valid_from": "since.0"}
    )
    assert select("select currency, rate, valid_from from raw_commerce.currency_rates") == [
        ("USD", Decimal("0.90000000"), date(2026, 1, 1)),
        ("GBP", Decimal("1.15000000"), date(2026, 1, 2)),
    ]


def test_people_in_json_keep_what_fills_no_column(
    home: Home, select: Select, tmp_path: Path
) -> None:
    path = tmp_path / "people.jsonl"
    path.write_text('{"mail": "a@example.com", "tier": "gold", "tags": ["x"], "cio_id": null}\n')
    load(home, "people", [str(path)], columns={"email": "mail"})
    attributes = str(select("select attributes from raw_people.people")[0][0])
    assert json.loads(attributes) == {"tier": "gold", "tags": ["x"]}


def test_a_file_that_only_calls_itself_parquet_is_refused(
    home: Home, select: Select, tmp_path: Path
) -> None:
    path = tmp_path / "orders.parquet"
    path.write_text("order_id,customer_id,ordered_at,total_amount\n1,c,2026-01-01,5\n")
    with pytest.raises(UsageError, match=r"orders\.parquet is not a parquet file"):
        load(home, "orders", [str(path)])
    pq.write_table(pa.table({"id": [1]}), path)
    with pytest.raises(UsageError, match=r"lacks the column order_id.*its columns are: id"):
        load(home, "orders", [str(path)])
    assert select("from raw_commerce.orders") == []


@pytest.mark.parametrize(
    ("feed", "row", "reason"),
    [
        ("ad_spend", {"spent_on": "01/02/2026"}, "spent_on is not a day such as 2026-01-31"),
        ("ad_spend", {"impressions": "1.5"}, "impressions is not a whole number"),
        ("ad_spend", {"campaign_id": ""}, "campaign_id, campaign_name are all empty"),
        ("currency_rates", {"rate": "0"}, "rate is not a rate above zero such as 1.0825"),
        ("order_items", {"total_amount": ""}, "total_amount, unit_price are both empty"),
        ("refunds", {"amount": ""}, "amount is empty, and is_full does not say true"),
        (
            "refunds",
            {"amount": "-5"},
            "amount is negative: write what was given back as a positive amount",
        ),
        ("cancellations", {"cancelled_at": ""}, "cancelled_at is empty"),
        ("paid_audience_days", {"customer_id": ""}, "customer_id, email, cio_id are all empty"),
    ],
)
def test_each_feed_says_what_is_wrong_with_a_row(  # noqa: PLR0913, PLR0917 - cases and fixtures
    home: Home, select: Select, tmp_path: Path, feed: str, row: dict[str, str], reason: str
) -> None:
    good = {
        "ad_spend": {
            "platform": "meta",
            "campaign_id": "c",
            "spent_on": "2026-01-31",
            "spend": "1.10",
            "impressions": "10.0",
        },
        "currency_rates": {"currency": "USD", "rate": "0.91", "valid_from": "2026-01-01"},
        "order_items": {"order_id": "o", "sku": "s", "total_amount": "3"},
        "refunds": {
            "refund_id": "r",
            "order_id": "o",
            "refunded_at": "2026-01-01",
            "amount": "1",
            "is_full": "false",
        },
        "cancellations": {"order_id": "o", "cancelled_at": "2026-01-01"},
        "paid_audience_days": {
            "platform": "meta",
            "audience": "a",
            "active_on": "2026-01-01",
            "customer_id": "c",
        },
    }[feed]
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(good) + "\n" + json.dumps(good | row) + "\n")
    report = load(home, feed, [str(path)])
    assert (report.loaded, report.reasons) == (1, {reason: 1})
    assert select("select feed, source_line from raw_commerce.quarantine") == [(feed, 2)]
