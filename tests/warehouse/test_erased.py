"""Tombstones: what bears one is not landed, and nothing about them leads back to a name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from warehouse.erased import Tombstones, put_up, read_tombstones, salted
from warehouse.stop_list import append, append_hashes, digest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stop_list.ndjson"


def test_a_home_has_one_salt_and_each_tombstone_once(path: Path, tmp_path: Path) -> None:
    append(path, "opt_out", ["ann@example.com"], by="load")
    first = put_up(path, [" Ann@Example.com", "c1"])
    assert put_up(path, ["c1", "ann@example.com", "c1"]) == (first[1], first[0])
    kinds = [json.loads(line)["kind"] for line in path.read_text().splitlines()]
    assert kinds == ["opt_out", "salt", "erasure", "erasure"]
    assert not {digest("ann@example.com"), digest("c1")} & set(first)
    assert put_up(tmp_path / "another", ["c1"]) != (first[1],)
    assert salted(path).salt == read_tombstones(path).salt


def test_who_is_readmitted_may_be_erased_again(path: Path) -> None:
    (tombstone,) = put_up(path, ["c1"])
    append_hashes(path, "readmission", [tombstone], by="readmit")
    assert not read_tombstones(path)
    assert put_up(path, ["c1"]) == (tombstone,)
    assert read_tombstones(path).has(digest("C1 "))


def test_a_list_of_before_there_was_a_salt_counts(path: Path) -> None:
    append(path, "erasure", ["c1"], by="erase")
    put_up(path, ["c2"])
    tombstones = read_tombstones(path)
    assert [tombstones.has(digest(name)) for name in ("c1", "c2", "c3")] == [True, True, False]


def test_rows_go_by_any_column_that_names_their_person(path: Path) -> None:
    put_up(path, ["ann@example.com", "c1", "delivery_id:d1"])
    rows = pa.table(
        {
            "customer_id": ["C1 ", "c2", None, "c4", None],
            "email": [None, "b@example.com", "ANN@example.com", "d@example.com", None],
            "delivery_id": ["d0", "d1", "d2", "d3", "d4"],
            "amount": [1, 2, 3, 4, 5],
        }
    )
    tombstones = read_tombstones(path)
    # its delivery is somebody else's by then: where rows can name a person, that decides
    assert tombstones.kept(rows).column("amount").to_pylist() == [2, 4, 5]
    assert tombstones.kept(rows.to_batches()[0]).column("amount").to_pylist() == [2, 4, 5]


def test_rows_that_name_nobody_go_by_what_leads_to_them(path: Path) -> None:
    put_up(path, ["delivery_id:d1", "7"])
    tombstones = read_tombstones(path)
    metrics = pa.table({"delivery_id": ["d1", "d2", None], "metric": ["sent", "sent", "sent"]})
    assert tombstones.kept(metrics).column("delivery_id").to_pylist() == ["d2", None]
    # an order is no person, though it has the number of one
    lines = pa.table({"order_id": ["7", "d1"], "sku": ["a", "b"]})
    assert tombstones.kept(lines) is lines
    campaigns = pa.table({"campaign_id": ["7"]})
    assert tombstones.kept(campaigns) is campaigns


def test_with_nobody_erased_nothing_is_looked_at() -> None:
    rows = pa.table({"customer_id": ["c1"]})
    assert Tombstones().kept(rows) is rows
