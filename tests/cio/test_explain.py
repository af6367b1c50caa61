"""`cio explain` tells what decided about one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cio.command import cio
from tests.conftest import ROOT
from tests.models.models_in_process import parse
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

EVENT = (
    '{{"event_id": "{event}", "object_type": "email", "metric": "{metric}", "timestamp": {at},'
    ' "data": {{"delivery_id": "{delivery}", "campaign_id": 7,'
    ' "identifiers": {{"id": "{person}", "email": "{email}", "cio_id": "{cio}"}}}}}}'
)
SENT_AT = 1788048000  # 2026-08-30
AS_OF = "2026-09-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    ann = {"person": "7", "email": "Ann@Example.com", "cio": "c7", "delivery": "d7"}
    twin = {"person": "8", "email": "pair@example.com", "cio": "c8", "delivery": "d8"}
    other = {"person": "9", "email": "pair@example.com", "cio": "c9", "delivery": "d9"}
    lines = [
        EVENT.format(event="e1", metric="delivered", at=SENT_AT, **ann),
        EVENT.format(event="e2", metric="clicked", at=SENT_AT + 60, **ann),
        EVENT.format(event="e3", metric="delivered", at=SENT_AT, **twin),
        EVENT.format(event="e4", metric="delivered", at=SENT_AT, **other),
    ]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    loaded = cio("load", "webhooks", str(folder / "events.jsonl"), home=folder / "home")
    assert loaded.exit_code == 0, loaded.err
    built = Home(folder / "home")
    models = parse(built, ROOT / "fakes" / "company", folder / "target", {"as_of": AS_OF})
    models.run(built, "build", ["--exclude-resource-type", "unit_test"])
    models.write_manifest(built)
    return built.root


@pytest.mark.parametrize("identifier", ["7", "ann@example.com", " ANN@example.com ", "c7"])
def test_any_identifier_leads_to_the_person(home: Path, identifier: str) -> None:
    found: Any = cio("explain", identifier, "--json", home=home).json
    assert {(row["identifier_type"], row["identifier"]) for row in found["identifiers"]} == {
        ("customer_id", "7"),
        ("email", "ann@example.com"),
        ("cio_id", "c7"),
    }


def test_it_says_why_somebody_is_in_an_audience_and_why_not(home: Path) -> None:
    found: Any = cio("explain", "7", "--json", home=home).json
    audiences = {row["audience"]: row for row in found["audiences"]}
    clicked = audiences["clicked_any_message_7d"]
    assert clicked["is_member"]
    assert clicked["reason"] == "clicked 1 times in 7 days"
    assert clicked["expires_at"] == "2026-09-06 00:01:00"
    bought = audiences["purchased_3d"]
    assert not bought["is_member"]
    assert bought["reason"].startswith("out: One row a person who ordered in the last 3 days")
    assert [row["metric"] for row in found["events"]] == ["clicked", "delivered"]


def test_an_address_of_two_people_is_not_guessed_at(home: Path) -> None:
    said = cio("explain", "pair@example.com", home=home)
    assert said.exit_code == 2
    assert "2 people" in said.err


def test_nobody_known_is_said_so(home: Path) -> None:
    said = cio("explain", "nobody@example.com", home=home)
    assert said.exit_code == 2
    assert "nobody in the published build" in said.err


def test_it_reads_well_at_a_terminal(home: Path) -> None:
    said = cio("explain", "7", home=home, environment={"COLUMNS": "140"})
    assert said.exit_code == 0
    assert "clicked 1 times in 7 days" in said.out
    assert "What syncs did: nothing" in said.out
