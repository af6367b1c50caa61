from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from loaders.customerio import api_spool
from loaders.customerio.api_spool import spooling

if TYPE_CHECKING:
    import pytest

    from warehouse.home import Home

NOW = datetime(2026, 9, 1)  # noqa: DTZ001 - naive UTC, as every instant


def test_pages_are_read_as_they_were_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    # so that every second page is written at once, and the last one at the end
    monkeypatch.setattr(api_spool, "_BYTES_IN_MEMORY", 10)
    with spooling(home) as spool:
        for number in range(5):
            body = f'{{"n": "é{number}"}}'.encode()
            spool.add("api_topics", body, observed_at=NOW, parents={"segment_id": str(number)})
        spool.add("api_people", b"{}", observed_at=NOW)
        spool.close()
        assert spool.file("api_segments") is None
        assert spool.pages == {"api_topics": 5, "api_people": 1}
        rows = duckdb.execute(
            "select segment_id, campaign_id, observed_at, body from read_parquet(?) order by all",
            [str(spool.file("api_topics"))],
        ).fetchall()
    assert rows == [(str(n), None, NOW, f'{{"n": "é{n}"}}') for n in range(5)]
    assert list(home.dlt.iterdir()) == []


def test_what_a_killed_load_left_is_removed_and_nothing_else(home: Home) -> None:
    (home.dlt / "api-dead").mkdir()
    (home.dlt / "api-dead" / "api_topics.parquet").touch()
    (home.dlt / "load-of-another").mkdir()
    with spooling(home):
        assert not (home.dlt / "api-dead").exists()
    assert [path.name for path in home.dlt.iterdir()] == ["load-of-another"]
