"""The seeded company's taxonomy says of each of its messages what the catalogue means by it."""

from __future__ import annotations

import csv

import pytest

from fakes.world.catalogue import MESSAGES, Message
from tests.conftest import ROOT

IDS = (
    *("campaign_id", "broadcast_id", "newsletter_id", "transactional_message_id"),
    *("action_id", "content_id"),
)


def classes(message: Message) -> list[tuple[int, str]]:
    """Rows that match a message: how many ids they fill, and their class."""
    own = {name: str(getattr(message, name) or "") for name in IDS}
    with (ROOT / "fakes/company/seeds/message_taxonomy.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    filled = [({name: row[name] for name in IDS if row[name]}, row) for row in rows]
    return [
        (len(ids), row["message_class"])
        for ids, row in filled
        if ids and ids.items() <= own.items()
    ]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_every_message_has_its_intent_as_its_class(message: Message) -> None:
    assert max(classes(message))[1] == message.intent


def test_a_companys_own_taxonomy_starts_empty_with_the_same_columns() -> None:
    own = (ROOT / "company/seeds/message_taxonomy.csv").read_text(encoding="utf-8")
    fake = (ROOT / "fakes/company/seeds/message_taxonomy.csv").read_text(encoding="utf-8")
    assert own == fake.splitlines(keepends=True)[0]
