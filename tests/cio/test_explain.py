"""`cio explain` tells what decided about one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cio.command import cio, cio_here
from warehouse.connection import read_published
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(built_world: Path) -> Path:
    return built_world


@pytest.mark.parametrize("identifier", ["7", "ann@example.com", " ANN@example.com ", "c7"])
def test_any_identifier_leads_to_the_person(home: Path, identifier: str) -> None:
    found: Any = cio_here("explain", identifier, "--json", home=home).json
    assert {(row["identifier_type"], row["identifier"]) for row in found["identifiers"]} == {
        ("customer_id", "7"),
        ("email", "ann@example.com"),
        ("cio_id", "c7"),
    }


def test_it_says_why_somebody_is_in_an_audience_and_why_not(home: Path) -> None:
    found: Any = cio_here("explain", "7", "--json", home=home).json
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
    said = cio_here("explain", "pair@example.com", home=home)
    assert said.exit_code == 2
    assert "2 people" in said.err


def test_nobody_known_is_said_so(home: Path) -> None:
    said = cio_here("explain", "nobody@example.com", home=home)
    assert said.exit_code == 2
    assert "nobody in the published build" in said.err


def test_it_reads_well_at_a_terminal(home: Path) -> None:
    # a process of its own: how wide the terminal is, is asked once
    said = cio("explain", "7", home=home, environment={"COLUMNS": "140"})
    assert said.exit_code == 0
    assert "clicked 1 times in 7 days" in said.out
    assert "What syncs did: nothing" not in said.out
    assert "accepted" in said.out


def test_it_says_how_an_arm_is_known_and_until_when_somebody_is_held_out(home: Path) -> None:
    with read_published(Home(home)) as published:
        held = published.table("marts", "experiment_people")
        people = published.table("marts", "people")
        row = published.connection.execute(
            "select people.cio_id, held.experiment_id, held.arm, held.held_out_until "
            f"from {held} as held inner join {people} as people using (person_id) "
            "where held.is_held_out and not held.is_mixed order by all limit 1"
        ).fetchone()
    assert row is not None
    who, experiment, arm, until = row
    found: Any = cio_here("explain", who, "--json", home=home).json
    told = {one["experiment_id"]: one for one in found["experiments"]}[experiment]
    assert told["arm"] == arm
    assert told["is_held_out"] is True
    assert told["evidence"] in {"delivery", "recorded", "branch", "drawn", "attribute", "segment"}
    assert (told["held_out_until"] is None) == (until is None)
