"""A seeded world to test a warehouse with: its files, and the truth about them.

`generate` writes what the loaders take (Customer.io reporting webhooks as JSON lines; orders with
their lines, refunds and cancellations, ad spend, days in a paid audience, people and merges as CSV;
mParticle's batches and audiences) and `truth.json`, in which the effect of every experiment is
known exactly, because each person was played with and without its messages.

    python -m fakes.population FOLDER --people 20000 --seed 20260901
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fakes.world import (
    app_messages,
    deliveries,
    events,
    exports,
    mparticle,
    outcomes,
    paid,
    sends,
    shop,
    tables,
    truth,
    webhook_lines,
)
from fakes.world.catalogue import ASSIGNED, CODES
from fakes.world.events import METRICS, OBJECTS, Events
from fakes.world.orders import Orders, baseline, join
from fakes.world.people import Town, settle
from fakes.world.settings import NEVER, Effects, Ints, WorldSettings

if TYPE_CHECKING:
    from datetime import datetime

    from fakes.world.deliveries import Deliveries

__all__ = ["Effects", "World", "WorldSettings", "generate", "main", "unfold"]


@dataclass(frozen=True)
class World:
    """What was generated.

    Attributes:
        settings: what it was made from.
        folder: where its files are.
        files: every file, webhooks first, in the order in which they should be loaded.
        counts: rows by kind (people, profiles, deliveries, events, lines, repeated, late,
            malformed, orders with their lines, refunds and cancellations, ad spend, days in a paid
            audience, merges, and what mParticle saw) and events by `object_type/metric`.
        complete_through: every feed is whole until this instant.
        truth: what `truth.json` says.
    """

    settings: WorldSettings
    folder: Path
    files: tuple[Path, ...]
    counts: dict[str, int]
    complete_through: datetime
    truth: dict[str, Any]

    @property
    def webhooks(self) -> Path:
        """The folder of reporting-webhook lines."""
        return self.folder / "webhooks"


EXPORTS, APP_API = "exports", "api"
"""Feeds that tell the same history once more: `exports/*.parquet` and `app_api.json`."""


class Unfolded(NamedTuple):
    """What happens in a world, before anybody is told of it."""

    town: Town
    journeys: sends.Journeys
    own: Orders
    sent: sends.Sends
    arms: outcomes.Arms
    played: outcomes.Played


def unfold(settings: WorldSettings) -> Unfolded:
    """Let a world happen: its people, what they order anyway, what they are sent and what follows.

    Args:
        settings: seed, sizes, dates and effects.
    """
    town = settle(settings)
    journeys = sends.Journeys()
    dues, returns = sends.abandonment(town, journeys)
    own = join([baseline(town), returns])
    own = own.take(own.at < settings.end)
    dues += sends.welcome(town, journeys)
    dues += sends.winback(town, own, journeys)
    dues += sends.replenishment(town, own, journeys)
    dues += sends.broadcasts(town, journeys)
    sent = sends.draw(town, _without_deleted(town, sends.merge(town, dues)))
    arms = outcomes.draw_arms(town)
    return Unfolded(town, journeys, own, sent, arms, outcomes.play(town, sent, arms))


def generate(
    settings: WorldSettings, folder: Path, *, more_feeds: frozenset[str] = frozenset()
) -> World:
    """Write a world's files below `folder`, the same bytes for the same settings.

    Args:
        settings: seed, sizes, dates and effects.
        folder: where to write; made if missing. Files of an earlier world there are replaced, so
            a folder should hold one world.
        more_feeds: which of `EXPORTS` and `APP_API` to write besides the webhooks. The latter is
            a `Workspace` for the stand-in of the App API: `--store app_api.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    town, journeys, own, sent, arms, played = unfold(settings)
    placed = join([own, played.caused])
    placed = placed.take(np.lexsort((placed.person, placed.at)))
    later = sends.after_orders(town, placed, journeys)
    delivered = deliveries.gather(town, sent, played, later, placed)
    happened = events.report(town, delivered, played)
    started_at = np.concatenate(journeys.started_at)
    lines = webhook_lines.write(town, delivered, happened, started_at, folder / "webhooks")
    more = _write_more(more_feeds, (town, delivered, happened, started_at), folder)
    refunds_file, refunds = tables.write_refunds(settings, placed, folder)
    people_file, rows = tables.write_people(town, played.opted_out_at[0], folder)
    merges_file, merges = tables.write_merges(town, folder)
    orders_file = tables.write_orders(town, placed, folder)
    items_file, items = shop.write_items(settings, placed, folder)
    cancellations_file, cancellations = shop.write_cancellations(settings, placed, folder)
    spend_file, spend_rows = shop.write_ad_spend(settings, folder)
    paid_file, paid_days = paid.write_days(town, delivered, happened, placed, folder)
    batches_file, audiences_file, seen = mparticle.write(town, played.opted_out_at[0], folder)
    counts = {
        "people": town.people.count,
        "profiles": town.profiles.count,
        "people_rows": rows,
        "deliveries": delivered.count,
        "events": happened.count,
        "lines": lines.lines,
        "repeated": lines.repeated,
        "late": lines.late,
        "malformed": lines.malformed,
        "orders": placed.count,
        "caused_orders": played.caused.count,
        "order_items": items,
        "refunds": refunds,
        "cancellations": cancellations,
        "ad_spend_rows": spend_rows,
        "paid_audience_days": paid_days,
        "merges": merges,
        **seen,
        **_by_metric(happened),
    }
    told = truth.tell(town, sent, played, arms, own)
    told |= {
        "seed": settings.seed,
        "complete_through": settings.ends_at.isoformat(),
        "counts": counts,
    }
    truth_file = folder / "truth.json"
    truth_file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    files = (
        *lines.files,
        *more,
        *(orders_file, items_file, refunds_file, cancellations_file),
        *(spend_file, paid_file),
        *(people_file, merges_file),
        *(batches_file, audiences_file, truth_file),
    )
    return World(settings, folder, files, counts, settings.ends_at, told)


def _write_more(
    feeds: frozenset[str], history: tuple[Town, Deliveries, Events, Ints], folder: Path
) -> tuple[Path, ...]:
    """Write the same history in the shape of further feeds."""
    files: tuple[Path, ...] = ()
    if EXPORTS in feeds:
        files += exports.write(*history, folder / "exports").files
    if APP_API in feeds:
        path = folder / "app_api.json"
        path.write_text(json.dumps({"messages": app_messages.tell(*history)}), encoding="utf-8")
        files += (path,)
    return files


def _without_deleted(town: Town, due: sends.Due) -> sends.Due:
    """Leave people who will be deleted out of experiments: their later events name nobody."""
    tested = [outcomes.entry_message(item) for item in ASSIGNED]
    tested.append(CODES["cart_abandonment_sms_1"])
    stays = ~((town.people.deleted_at[due.person] < NEVER) & np.isin(due.message, tested))
    return sends.Due(due.message[stays], due.person[stays], due.at[stays], due.entry[stays])


def _by_metric(happened: Events) -> dict[str, int]:
    kinds = np.bincount(
        happened.object * len(METRICS) + happened.metric, minlength=len(OBJECTS) * len(METRICS)
    )
    names = [f"{kind}/{metric}" for kind in OBJECTS for metric in METRICS]
    return {name: int(count) for name, count in zip(names, kinds, strict=True) if count}


def main(arguments: list[str] | None = None) -> int:
    """Generate a world from the command line."""
    defaults = WorldSettings()
    parser = argparse.ArgumentParser(prog="python -m fakes.population", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=defaults.people)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--days", type=int, default=defaults.days)
    parser.add_argument(
        "--feed",
        action="append",
        choices=[EXPORTS, APP_API],
        default=[],
        help="write this feed besides the webhooks; may be repeated",
    )
    given = parser.parse_args(arguments)
    began = time.perf_counter()
    settings = WorldSettings(seed=given.seed, people=given.people, days=given.days)
    world = generate(settings, given.folder, more_feeds=frozenset(given.feed))
    took = time.perf_counter() - began
    events_count, orders_count = world.counts["events"], world.counts["orders"]
    sys.stdout.write(
        f"{events_count:,} events, {orders_count:,} orders of {given.people:,} people "
        f"in {len(world.files)} files below {given.folder} ({took:.1f} s)\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
