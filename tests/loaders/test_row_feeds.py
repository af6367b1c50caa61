from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from loaders.run import LoadReport
    from warehouse.home import Home

    Parse = Callable[..., tuple[list[dict[str, object]], list[dict[str, object]]]]
    Select = Callable[[str], list[tuple[object, ...]]]
    LoadText = Callable[..., LoadReport]


@pytest.fixture
def load_text(home: Home, tmp_path: Path) -> LoadText:
    def run(feed: str, text: str, **columns: str) -> LoadReport:
        path = tmp_path / "file.csv"
        path.write_text(text, encoding="utf-8")
        return load(home, feed, [str(path)], columns=columns)

    return run


ROOT = Path(__file__).resolve().parents[2]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_orders_are_typed_and_kept_as_they_came(load_text: LoadText, select: Select) -> None:
    report = load_text(
        "orders",
        "Order Number,customer_id,ordered_at,total_amount,discount_amount,discount_code,"
        "is_cancelled,Shop\n"
        "1001,c1,2026-01-01T12:00:00+02:00,12.50,0.5,WIN,no,Łódź\n"
        "1002, c2 ,1700000000,99,,,TRUE,\n",
        order_id="Order Number",
    )
    assert (report.loaded, report.quarantined) == (2, 0)
    rows = select("from raw_commerce.orders order by order_id")
    assert rows[0][:11] == (
        "1001",
        "c1",
        None,
        None,
        at("2026-01-01 10:00:00"),
        None,
        None,
        Decimal("12.5000"),
        Decimal("0.5000"),
        "WIN",
        False,
    )
    assert json.loads(str(rows[0][12])) == {
        "Order Number": "1001",
        "customer_id": "c1",
        "ordered_at": "2026-01-01T12:00:00+02:00",
        "total_amount": "12.50",
        "discount_amount": "0.5",
        "discount_code": "WIN",
        "is_cancelled": "no",
        "Shop": "Łódź",
    }
    assert rows[1][1] == "c2"
    assert rows[1][4] == at("2023-11-14 22:13:20")
    assert rows[1][8:11] == (None, None, True)
    assert rows[1][14] == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01", "2026-01-01 00:00:00"),
        ("2026-01-01 10:00", "2026-01-01 10:00:00"),
        ("2026-01-01T10:00:00Z", "2026-01-01 10:00:00"),
        ("2026-01-01T10:00:00.25-05:30", "2026-01-01 15:30:00.25"),
        ("2026-01-01 10:00:00+0200", "2026-01-01 08:00:00"),
        ("1767261600", "2026-01-01 10:00:00"),
        ("01/02/2026", None),
        ("2026-02-30", None),
        ("infinity", None),
        ("1767261600000", None),
        ("20260101", None),
        ("yesterday", None),
    ],
)
def test_instants_are_iso_8601_or_unix_seconds_and_end_up_in_utc(
    parse: Parse, text: str, expected: str | None
) -> None:
    data = f"refund_id,order_id,refunded_at,amount\nr1,o1,{text},5\n"
    records, quarantined = parse("refunds", data.encode())
    if expected is None:
        assert records == []
        reason = "refunded_at is not an instant in ISO 8601 or unix seconds"
        assert [row["reason"] for row in quarantined] == [reason]
    else:
        assert [row["refunded_at"] for row in records] == [at(expected)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",c1,2026-01-01,5", "order_id is empty"),
        ("1,c1,,5", "ordered_at is empty"),
        ("1,c1,soon,5", "ordered_at is not an instant in ISO 8601 or unix seconds"),
        ("1,c1,2026-01-01,", "total_amount is empty"),
        ('1,c1,2026-01-01,"1,000"', "total_amount is not an amount such as 1234.50"),
        ("1,c1,2026-01-01,nan", "total_amount is not an amount such as 1234.50"),
        ("1,,2026-01-01,5", "customer_id, email, cio_id are all empty"),
        ("1,c1,2026-01-01", "3 values where the header has 4"),
    ],
)
def test_a_row_that_lacks_what_it_needs_is_quarantined_as_it_came(
    parse: Parse, row: str, reason: str
) -> None:
    header = "order_id,customer_id,ordered_at,total_amount"
    data = f"{header}\n0,c0,2026-01-01,1\n{row}\n2,c2,2026-01-01,2\n"
    records, quarantined = parse("orders", data.encode())
    assert [(row["order_id"], row["source_line"]) for row in records] == [("0", 2), ("2", 4)]
    assert quarantined == [
        {
            "feed": "orders",
            "reason": reason,
            "source_file": records[0]["source_file"],
            "source_line": 3,
            "original_bytes": row.encode(),
        }
    ]


def test_people_keep_what_has_no_column_of_its_own(load_text: LoadText, select: Select) -> None:
    load_text(
        "people",
        "Email,customer_id,First,is_unsubscribed,tier,it's\n"
        'A@Example.com,c1,Ann,1,gold,"a ""b"""\n'
        "b@example.com,,Bob,maybe,,\n"
        ",,Eve,,,\n",
        first_name="First",
    )
    rows = select(
        "select email, customer_id, first_name, is_unsubscribed, attributes "
        "from raw_people.people order by first_name"
    )
    assert [row[:4] for row in rows] == [
        ("A@Example.com", "c1", "Ann", True),
    ]
    assert json.loads(str(rows[0][4])) == {"tier": "gold", "it's": 'a "b"'}
    # an opt-out that cannot be read is nobody's guess
    assert select("select reason from raw_people.quarantine order by reason") == [
        ("customer_id, email, cio_id are all empty",),
        ("is_unsubscribed is not true or false",),
    ]


def test_merges_and_assignments_land_in_their_tables(load_text: LoadText, select: Select) -> None:
    load_text("merges", "primary_cio_id,secondary_cio_id,merged_at\na,b,2026-01-01\nc,,\n")
    assert select("select primary_cio_id, secondary_cio_id, merged_at from raw_people.merges") == [
        ("a", "b", at("2026-01-01 00:00:00"))
    ]
    load_text("assignments", "experiment_id,arm,cio_id,assigned_at\ne1,holdout,a,1767261600\n")
    assert select(
        "select experiment_id, arm, customer_id, email, cio_id, assigned_at "
        "from raw_experiments.assignments"
    ) == [("e1", "holdout", None, None, "a", at("2026-01-01 10:00:00"))]


def test_a_column_that_is_not_there_is_explained_and_nothing_lands(
    load_text: LoadText, select: Select
) -> None:
    with pytest.raises(UsageError) as error:
        load_text("orders", "id,customer_id,ordered_at,total_amount\n1,c,2026-01-01,5\n")
    message = str(error.value)
    assert "file.csv lacks the column order_id, which orders needs" in message
    assert "id, customer_id, ordered_at, total_amount" in message
    assert '--column order_id="its name"' in message
    assert "[loaders.orders.columns]" in message
    assert select("from raw_commerce.orders") == []
    with pytest.raises(UsageError, match="lacks the column Kaufdatum"):
        load_text("orders", "order_id,email,total_amount\n1,c,5\n", ordered_at="Kaufdatum")
    with pytest.raises(UsageError, match="lacks any of the columns customer_id, email, cio_id"):
        load_text("people", "name\nAnn\n")


def test_a_mapping_comes_from_the_settings_and_the_call_wins(
    home: Home, select: Select, tmp_path: Path
) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text(
        '[loaders.refunds.columns]\nrefund_id = "Refund"\namount = "Sum"\n'
    )
    path = tmp_path / "refunds.csv"
    path.write_text("Refund,order_id,refunded_at,Sum,Net\nr1,o1,2026-01-01,5,4\n")
    command = [sys.executable, "-m", "loaders", "refunds", str(path), "--column", "amount=Net"]
    # a process of its own, for dlt reads its settings once
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CIO_HOME": str(home.root)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert select("select refund_id, amount from raw_commerce.refunds") == [("r1", Decimal(4))]


def test_a_mapping_of_no_column_of_the_feed_is_refused(load_text: LoadText) -> None:
    with pytest.raises(UsageError, match="refunds has no column total to map; it has: refund_id"):
        load_text("refunds", "a\n", total="a")
    with pytest.raises(UsageError, match="webhooks has no column metric to map"):
        load_text("webhooks", "{}\n", metric="m")
