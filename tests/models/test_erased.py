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
SELECTED = ["--select", "+person_identifiers", "+message_events", "+orders"]
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

    def load_and_build(name: str) -> dict[str, int]:
        for feed, text in FILES.items():
            path = tmp_path / f"{name}-{feed}.{'jsonl' if feed == 'webhooks' else 'csv'}"
            path.write_text(text)
            load(home, feed, [str(path)])
        models.run(home, "run", SELECTED)
        with open_warehouse(home, purpose="look") as connection:
            return {
                table: len(connection.execute(f"from {PREFIX}marts.{table}").fetchall())
                for table in ("person_identifiers", "message_events", "orders")
            }

    both = {"person_identifiers": 6, "message_events": 2, "orders": 2}
    other = {"person_identifiers": 3, "message_events": 1, "orders": 1}
    assert load_and_build("first") == both
    room = Room(home, home.root / "target" / "manifest.json")
    done = erase(room, "1@example.com", on_step=lambda _text: None)
    assert done.rows["raw_customerio.webhook_events"] == 1
    # nothing was published, so an address alone was known: the id comes again under another name
    erase(room, "1", on_step=lambda _text: None)
    erase(room, "c1", on_step=lambda _text: None)
    assert load_and_build("again") == other
    for name in ("1@example.com", "1", "c1"):
        readmit(home, name)
    assert load_and_build("back") == both
