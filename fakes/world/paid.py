"""Who was in an audience of an ad platform on which day: a list of clickers without buyers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fakes.world import extras
from fakes.world.events import METRIC
from fakes.world.settings import DAY, Ints, happens
from fakes.world.tables import instants, write_columns

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.world.deliveries import Deliveries
    from fakes.world.events import Events
    from fakes.world.orders import Orders
    from fakes.world.people import Town

PLATFORM, AUDIENCE = "meta", "CIO | Retargeting | 0-3d"
CAMPAIGN = "meta|1202"
"""The campaign of the world's ad spend that is shown to it."""

_DAYS_IN_IT = np.array([1, 2, 3])
_DAYS = 2**20
"""More days than any world has."""

_TOLD_DAYS = 60
_MATCHED_SHARE = 0.6
_FORGOTTEN_SHARE = 0.1


def write_days(
    town: Town, deliveries: Deliveries, happened: Events, orders: Orders, folder: Path
) -> tuple[Path, int]:
    """Write the last days on which people were in the audience. Returns how many.

    Who clicks is in it on the three days after, if the platform knows them. Who bought in the three
    days before is taken out, but for one in ten whom the list of buyers missed.
    """
    settings, people, profiles = town.settings, town.people, town.profiles
    rng = settings.stream("paid audiences")
    is_matched = happens(rng.random(people.count), _MATCHED_SHARE)
    is_click = (happened.metric == METRIC["clicked"]) & ~extras.is_by_machine(happened.extra)
    clicker = deliveries.person[happened.delivery[is_click]]
    after_click = _days_after(clicker, happened.at[is_click])
    placed = orders.take(~orders.baskets.is_cancelled)
    is_buyer = np.isin(after_click, _days_after(placed.person, placed.at))
    is_missed = happens(rng.random(len(after_click)), _FORGOTTEN_SHARE)
    person, day = np.divmod(after_click, _DAYS)
    at = day * DAY
    is_in = (at >= settings.end - _TOLD_DAYS * DAY) & (at < settings.end)
    is_in &= is_matched[person] & (people.deleted_at[person] > at) & (is_missed | ~is_buyer)
    rows = np.flatnonzero(is_in)
    told = pa.array(np.zeros(len(rows), dtype=np.int64))
    owner = pa.array(person[rows])
    path = write_columns(
        folder / "paid_audience_days.csv",
        {
            "platform": pa.array([PLATFORM]).take(told),
            "audience": pa.array([AUDIENCE]).take(told),
            "customer_id": profiles.customer_id.take(owner),
            "email": profiles.email.take(owner),
            "active_on": pc.utf8_slice_codeunits(instants(at[rows]), 0, 10),
        },
    )
    return path, len(rows)


def _days_after(person: Ints, at: Ints) -> Ints:
    """The three days after each occurrence, each person and day once, as one number, in order."""
    found = person[:, None] * _DAYS + at[:, None] // DAY + _DAYS_IN_IT
    unique: Ints = np.unique(found)
    return unique
