"""Every delivery that came to be: the played sends and what follows an order, as one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fakes.world.outcomes import (
    ABSENT,
    CHANNEL,
    DELIVERED,
    EMAIL,
    IS_MARKETING,
    Played,
)
from fakes.world.sends import Due, Sends, profile_of
from fakes.world.settings import DAY, NEVER, Flags, Ints

if TYPE_CHECKING:
    from fakes.world.orders import Orders
    from fakes.world.people import Town

_VENDOR_ATTRIBUTION = 3 * DAY


@dataclass(frozen=True)
class Deliveries:
    """One entry a delivery."""

    message: Ints
    person: Ints
    profile: Ints
    at: Ints
    entry: Ints
    state: Ints
    pressure: Ints
    left_at: Ints
    complains: Flags
    bought_at: Ints
    next_order_at: Ints

    @property
    def count(self) -> int:
        """Number of deliveries."""
        return len(self.message)

    @property
    def channel(self) -> Ints:
        """The channel of each delivery, a place in `catalogue.CHANNELS`."""
        channels: Ints = CHANNEL[self.message]
        return channels


def gather(town: Town, sends: Sends, played: Played, later: Due, placed: Orders) -> Deliveries:
    """Put the played sends and the messages after orders into one list.

    Args:
        town: everyone.
        sends: the due messages.
        played: what became of them.
        later: the messages after orders; marketing among them respects the opt-outs.
        placed: all orders, for the vendor's own attribution.
    """
    left_at = np.where(played.leaves, played.left_at, NEVER)
    bought_at = np.full(sends.count, NEVER)
    bought_at[played.caused_by] = played.caused.at
    is_there = played.state != ABSENT
    later_channel = CHANNEL[later.message]
    is_allowed = ~IS_MARKETING[later.message] | (later_channel != EMAIL)
    is_allowed |= later.at < played.opted_out_at[0][later.person]
    is_allowed &= ~(town.people.has_bad_email[later.person] & (later_channel == EMAIL))
    more = np.flatnonzero(is_allowed)
    never = np.full(len(more), NEVER)
    message = np.concatenate([played.message[is_there], later.message[more]])
    person = np.concatenate([sends.person[is_there], later.person[more]])
    at = np.concatenate([sends.at[is_there], later.at[more]])
    state = np.concatenate([played.state[is_there], np.full(len(more), DELIVERED)])
    return Deliveries(
        message=message,
        person=person,
        profile=np.concatenate([sends.profile[is_there], profile_of(town, later)[more]]),
        at=at,
        entry=np.concatenate([sends.entry[is_there], later.entry[more]]),
        state=state,
        pressure=np.concatenate([sends.pressure[is_there], np.zeros(len(more), dtype=np.int64)]),
        left_at=np.concatenate([left_at[is_there], never]),
        complains=np.concatenate([played.complains[is_there], np.zeros(len(more), dtype=bool)]),
        bought_at=np.concatenate([bought_at[is_there], never]),
        next_order_at=_next_orders(message, person, at, placed),
    )


def _next_orders(message: Ints, person: Ints, at: Ints, placed: Orders) -> Ints:
    """The person's next order within the vendor's attribution window, caused or not."""
    clock = np.sort((placed.person << 33) + placed.at)
    clock = np.append(clock, np.iinfo(np.int64).max)
    now = (person << 33) + at
    ahead = clock[np.searchsorted(clock, now, side="right")] - now
    counts = IS_MARKETING[message] & (ahead < _VENDOR_ATTRIBUTION)
    return np.where(counts, at + ahead, NEVER)
