"""A holdout that is none is refused and says why: worlds of messages as the loaders take them."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from loaders.run import load
from tests.conftest import ROOT
from tests.models.models_in_process import parse
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

DUE_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
COMPLETE = DUE_AT + timedelta(days=30)
PEOPLE = 1000
HELD_OUT = PEOPLE // 5
# Actions of a campaign, after its number: a message to everybody before its split, the split, what
# is sent and what is trapped, and one after the split.
BEFORE, SPLIT, SENT, TRAPPED, AFTER = "05", "00", "01", "03", "09"
LEAK = "held-out people received messages that the experiment covers: the holdout is contaminated"
UNPLANNED = (
    "holdout_share in experiments.csv is not given, so nobody knows whether chance split the arms:"
    " write there the share that was planned"
)
SEGMENT = (
    "the arms are not as large as planned among people of one segment (orders before: one at the"
    " index): something other than chance splits them"
)
# Campaign, what its experiment covers, the share that is written, and how many held-out people a
# message after the split reaches, of which campaign.
WORLDS = {
    "sound": (13, "13", "0.2", HELD_OUT // 20, 13),
    "leaks": (14, "14", "0.2", HELD_OUT // 20 + 1, 14),
    "leaks_elsewhere": (15, '"15, 16"', "0.2", HELD_OUT // 20 + 1, 16),
    "covers_nothing": (17, "", "0.2", HELD_OUT, 17),
    "unplanned": (18, "18", "", 0, 18),
    "leaves_buyers_out": (19, "19", "0.2", 0, 19),
}
REASONS = {
    "leaks": LEAK,
    "leaks_elsewhere": LEAK,
    "unplanned": UNPLANNED,
    "leaves_buyers_out": SEGMENT,
}


def _is_held_out(person: int, campaign: int) -> bool:
    """A fifth of everybody; of the last, a quarter of those who never bought, and no buyer."""
    return (
        (person + campaign) % 4 == 0 and person >= HELD_OUT
        if campaign == 19
        else (person + campaign) % 5 == 0
    )


def _events(campaign: int, reached: int, by: int) -> Iterator[dict[str, Any]]:
    """What one campaign's messages come to. Its trap says sent and delivered, as some do."""
    held_out = [person for person in range(PEOPLE) if _is_held_out(person, campaign)]
    assert len(held_out) == HELD_OUT
    for person in range(PEOPLE):
        yield from _message(campaign, BEFORE, person, DUE_AT - timedelta(hours=1))
        action = TRAPPED if _is_held_out(person, campaign) else SENT
        yield from _message(campaign, action, person, DUE_AT)
    for person in held_out[:reached]:
        yield from _message(by, AFTER, person, DUE_AT + timedelta(days=1))
    for person in held_out:
        receipt = {"transactional_message_id": 3}
        yield from _message(campaign, "receipt", person, DUE_AT + timedelta(days=2), **receipt)
        yield from _message(campaign, "webhook", person, DUE_AT, kind="webhook")


def _message(
    campaign: int, action: str, person: int, at: datetime, kind: str = "email", **ids: int
) -> Iterator[dict[str, Any]]:
    for number, metric in enumerate(("drafted", "sent", "delivered")):
        yield {
            "event_id": f"{campaign}-{action}-{person}-{metric}",
            "object_type": kind,
            "metric": metric,
            "timestamp": int(at.timestamp()) + number,
            "data": {
                "delivery_id": f"{campaign}-{action}-{person}",
                "campaign_id": campaign,
                "parent_action_id": f"{campaign}{SPLIT}" if action in (SENT, TRAPPED) else None,
                "action_id": f"{campaign}{action}",
                "identifiers": {"id": f"customer-{person}"},
                **ids,
            },
        }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refusals")
    company = folder / "company"
    shutil.copytree(ROOT / "company", company)
    experiments = company / "seeds" / "experiments.csv"
    arms = company / "seeds" / "experiment_arms.csv"
    starts_at = f"{DUE_AT - timedelta(days=1):%Y-%m-%d %H:%M:%S}"
    with experiments.open("a", encoding="utf-8") as said, arms.open("a", encoding="utf-8") as told:
        for name, (campaign, covers, share, _, _) in WORLDS.items():
            said.write(f"{name},,campaign,{starts_at},,168,conversion_rate,{share},{covers},\n")
            for arm, action in (("held_out", TRAPPED), ("messaged", SENT)):
                ids = f"{campaign},{campaign}{SPLIT},{campaign}{action}"
                told.write(f"{name},{arm},{str(arm == 'held_out').lower()},{ids},,,,,\n")
    with (folder / "webhooks.jsonl").open("w", encoding="utf-8") as lines:
        for campaign, _, _, reached, by in WORLDS.values():
            for event in _events(campaign, reached, by):
                lines.write(json.dumps(event) + "\n")
    with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("order_id", "customer_id", "ordered_at", "currency", "total_amount"))
        for person in range(PEOPLE):
            # a fifth bought long before, and of any five people two after
            if person < HELD_OUT:
                at = DUE_AT - timedelta(days=300)
                writer.writerow((f"old-{person}", f"customer-{person}", at, "EUR", 20))
            if person % 10 < 4:
                at = DUE_AT + timedelta(days=3)
                writer.writerow((f"new-{person}", f"customer-{person}", at, "EUR", 20))
    home = Home(folder / "home")
    home.make()
    load(home, "webhooks", [str(folder / "webhooks.jsonl")], complete_through=COMPLETE)
    load(home, "orders", [str(folder / "orders.csv")], complete_through=COMPLETE)
    models = parse(home, company, folder / "target", {"as_of": COMPLETE.isoformat()})
    wanted = ["--select", "+experiment_results", "--exclude-resource-type", "test", "unit_test"]
    models.run(home, "build", wanted)
    return home.warehouse


@pytest.fixture
def marts(built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(built, read_only=True) as connection:
        connection.execute(f"set schema = 'dev_as_of_{COMPLETE:%Y%m%dt%H%M%S}_marts'")
        yield connection


def test_a_holdout_that_is_none_shows_no_number_and_says_why(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    found = marts.execute(
        """
        select experiment_id, min(verdict), min(reason), count(effect), count(distinct reason)
        from experiment_results where verdict = 'refused' group by all
        """
    ).fetchall()
    refused = {name: ("refused", reason, 0, 1) for name, reason in REASONS.items()}
    assert {name: tuple(row) for name, *row in found} == refused
    numbers = marts.execute(
        "select distinct experiment_id from experiment_results where effect is not null"
    ).fetchall()
    assert {name for (name,) in numbers} == set(WORLDS) - set(REASONS)


def test_what_reached_held_out_people_is_what_the_experiment_covers(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    """Not a trap that says delivered, nor what came before the split, a receipt or a webhook."""
    found = marts.execute(
        "select experiment_id, status, value from experiment_health where check_name = 'leakage'"
    ).fetchall()
    assert {name: tuple(row) for name, *row in found} == {
        "sound": ("warn", 0.05),
        "leaks": ("fail", 0.055),
        "leaks_elsewhere": ("fail", 0.055),
        "covers_nothing": ("pass", 0),
        "unplanned": ("pass", 0),
        "leaves_buyers_out": ("pass", 0),
    }


def test_the_effect_on_who_was_reached_takes_both_arms_by_the_same_messages(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    """By the difference of both delivery rates, of which one is not quite 0."""
    found = marts.execute(
        """
        select effect / (select effect from experiment_results
            where experiment_id = 'sound' and metric = 'orders_per_person' and method = 'welch'
                and segment = 'all')
        from experiment_results
        where experiment_id = 'sound' and metric = 'orders_per_person' and method = 'cace'
        """
    ).fetchall()
    assert found == [(pytest.approx(1 / (1 - 0.05), rel=1e-9),)]
    rows = marts.execute(
        """
        select is_held_out, sum(messages), count(*) filter (where is_delivered)
        from experiment_people where experiment_id = 'sound' group by all order by all
        """
    ).fetchall()
    assert rows == [(False, 800, 800), (True, 10, 10)]
