"""Who was erased is in no model, though the export that still has them is loaded again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cio.erase import erase, readmit
from loaders.run import load
from reverse_etl.run import Room
from tests.conftest import ROOT
from tests.models.models_in_process import parse
from warehouse.connection import open_warehouse
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

AS_OF = datetime(2026, 9, 1, tzinfo=UTC)
PREFIX = "dev_as_of_20260901t000000_"
SELECTED = ["--select", "+person_identifiers", "+orders"]
LINE = (
    '{{"event_id": "{n}", "object_type": "email", "metric": "delivered", "timestamp": 1788048000,'
    ' "data": {{"delivery_id": "d{n}", "campaign_id": 7,'
    ' "identifiers": {{"id": "{n}", "email": "{n}@example.com", "cio_id": "c{n}"}}}}}}\n'
)
FILES = {
    "webhooks": "".join(LINE.format(n=n) for n in (1, 2)),
    "people": "customer_id,email,is_unsubscribed\n1,1@example.com,false\n2,2@example.com,false\n",
    "orders": "order_id,customer_id,ordered_at,total_amount,currency\n"
    "o1,1,2026-08-01,10,EUR\no2,2,2026-08-01,10,EUR\n",
}


def test_the_old_export_loaded_again_brings_nobody_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    variables = {"as_of": AS_OF.isoformat()}
    models = parse(home, ROOT / "fakes" / "company", tmp_path / "target", variables)
    models.write_manifest(home)

    def load_all(name: str) -> list[tuple[int, int]]:
        """Load the same texts as other files: rows landed, and those of erased people."""
        found = []
        for feed, text in FILES.items():
            path = tmp_path / f"{name}-{feed}.{'jsonl' if feed == 'webhooks' else 'csv'}"
            path.write_text(text)
            report = load(home, feed, [str(path)])
            found.append((report.records, report.erased))
        return found

    assert load_all("first") == [(2, 0)] * 3
    room = Room(home, home.root / "target" / "manifest.json")
    # nothing is published that ties them, so each identifier is erased by itself
    for name in ("1@example.com", "1", "c1"):
        erase(room, name, on_step=lambda _text: None)
    assert load_all("again") == [(1, 1)] * 3
    models.run(home, "run", SELECTED)
    with open_warehouse(home, purpose="look") as connection:
        identifiers, orders = (
            connection.execute(f"select * from {PREFIX}marts.{table} order by all").fetchall()
            for table in ("person_identifiers", "orders")
        )
    assert len(identifiers) == 3
    assert len(orders) == 1
    assert "1@example.com" not in repr(identifiers)

    for name in ("1@example.com", "1", "c1"):
        readmit(home, name)
    assert load_all("back") == [(2, 0)] * 3
