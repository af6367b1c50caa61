"""What a user gets wrong, and what the command says: the thing, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cio.command import cio
from warehouse.connection import open_warehouse
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    said = cio("load", "webhooks", str(tmp_path / "nowhere"), home=tmp_path / "home")
    assert said.exit_code == 2
    assert str(tmp_path / "nowhere") in said.err
    assert "Traceback" not in said.err


def test_an_unknown_feed_is_told_which_there_are(tmp_path: Path) -> None:
    said = cio("load", "webhoks", str(tmp_path), home=tmp_path / "home")
    assert said.exit_code == 2
    assert "webhooks" in said.err
    assert "Traceback" not in said.err


def test_a_csv_without_its_key_column_names_it_and_says_how_to_map(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("number,customer_id,ordered_at,total_amount\n1,7,2026-01-01,10\n")
    said = cio("load", "orders", str(orders), home=tmp_path / "home")
    assert said.exit_code == 2
    assert "order_id" in said.err
    assert "--column" in said.err
    mapped = cio(
        *("load", "orders", str(orders), "--column", "order_id=number", "--json"),
        home=tmp_path / "home",
    )
    assert (mapped.exit_code, mapped.json["loaded"]) == (0, 1)


def test_an_empty_file_loads_nothing_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    said = cio("load", "webhooks", str(tmp_path / "empty.jsonl"), home=tmp_path / "home")
    assert said.exit_code == 0
    assert "0 loaded" in said.out


def test_a_malformed_line_is_kept_and_the_rest_is_loaded(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(
        '{"event_id": "e1", "object_type": "email", "metric": "sent", "timestamp": 1767225600,'
        ' "data": {"delivery_id": "d1"}}\nnot json at all\n'
    )
    said = cio("load", "webhooks", str(events), "--json", home=tmp_path / "home")
    assert (said.json["loaded"], said.json["quarantined"]) == (1, 1)
    with open_warehouse(Home(tmp_path / "home"), purpose="test") as warehouse:
        kept = warehouse.execute(
            "select source_line, original_bytes from raw_customerio.quarantine"
        ).fetchall()
    assert kept == [(2, b"not json at all")]


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    said = cio("load", "webhooks", str(tmp_path), home=tmp_path / "taken")
    assert said.exit_code == 2
    assert "CIO_HOME" in said.err
    assert "Traceback" not in said.err


def test_an_instant_that_is_none(tmp_path: Path) -> None:
    said = cio(*("load", "webhooks", "--complete-through", "yesterday"), home=tmp_path / "home")
    assert said.exit_code == 2
    assert "ISO 8601" in said.err


@pytest.mark.slow
def test_reading_before_anything_was_built_says_what_to_run(parsed_home: Path) -> None:
    said = cio("report", home=parsed_home)
    assert said.exit_code == 1
    assert "cio build" in said.err
    assert "Traceback" not in said.err


@pytest.mark.slow
def test_a_wrong_key_among_the_secrets_is_named_with_its_file(
    tmp_path: Path, parsed_home: Path
) -> None:
    settings = tmp_path / ".dlt"
    settings.mkdir()
    (settings / "secrets.toml").write_text(
        '[reverse_etl.mixpanel]\nproject_tokn = "a-secret-that-must-not-be-shown"\n'
    )
    said = cio(
        *("sync", "status"),
        home=parsed_home,
        environment={"DLT_PROJECT_DIR": str(tmp_path)},
    )
    assert said.exit_code == 2
    assert "project_tokn" in said.err
    assert "project_token" in said.err
    assert "secrets.toml" in said.err
    assert "must-not-be-shown" not in said.out + said.err
