"""What the company would send: every message that falls due, whatever the arms turn out to be.

A send is due by the person's behaviour alone (sign-up, cart, silence, the calendar), never by an
arm, and carries the random draws that decide its fate. So the same sends can be played under
every assignment, and a difference in outcomes is what the assignment caused.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from fakes.world import orders
from fakes.world.catalogue import (
    CODES,
    EXPERIMENT_NEWSLETTER_ID,
    LAST_NEWSLETTER_ID,
    MESSAGES,
    NEWSLETTER_WEEKS,
)
from fakes.world.orders import Baskets, Orders
from fakes.world.people import HAMMERED, Town
from fakes.world.settings import DAY, HOUR, Flags, Floats, Ints, happens

PROMOTION_RATE = np.array([0.05, 0.10, 0.55, 0.05, 0.07, 0.02])
"""Share of the broadcasts that each kind of person is in the audience of."""
WINBACK_AFTER = 60 * DAY
_EXPERIMENT_AUDIENCE = 0.36


@dataclass(frozen=True)
class Due:
    """Messages that fall due in one flow, before they are put in order."""

    message: Ints
    person: Ints
    at: Ints
    entry: Ints


@dataclass(frozen=True)
class Sends:
    """Every due message in order of person and time, with the draws that decide its fate."""

    message: Ints
    person: Ints
    profile: Ints
    at: Ints
    entry: Ints
    pressure: Ints
    is_first_email: Flags
    fate: Floats
    kept: Floats
    leaves: Floats
    buys: Floats
    buys_after: Floats
    baskets: Baskets

    @property
    def count(self) -> int:
        """Number of sends."""
        return len(self.message)

    def take(self, rows: Flags) -> Sends:
        """The sends at some places, draws included."""
        taken = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "baskets"}
        baskets = Baskets(**{f.name: getattr(self.baskets, f.name)[rows] for f in fields(Baskets)})
        return Sends(baskets=baskets, **taken)


class Journeys:
    """Hands out entry numbers, one for each time a person enters a flow."""

    def __init__(self) -> None:
        """Start at zero."""
        self.started_at: list[Ints] = []
        self._next = 0

    def enter(self, at: Ints) -> Ints:
        """New entry numbers for people who enter a flow at these seconds."""
        first, self._next = self._next, self._next + len(at)
        self.started_at.append(at)
        return np.arange(first, self._next)


def _due(name: str, person: Ints, at: Ints, entry: Ints) -> Due:
    return Due(np.full(len(person), CODES[name], dtype=np.int64), person, at, entry)


def welcome(town: Town, journeys: Journeys) -> list[Due]:
    """Two e-mails to everyone who signs up."""
    person = np.flatnonzero(town.people.created_at >= town.settings.start)
    at = town.people.created_at[person] + 5 * 60
    entry = journeys.enter(at)
    return [
        _due("welcome_email_1", person, at, entry),
        _due("welcome_email_2", person, at + 3 * DAY, entry),
    ]


def abandonment(town: Town, journeys: Journeys) -> tuple[list[Due], Orders]:
    """Carts and product pages left behind; and the carts people come back for by themselves."""
    rng = town.settings.stream("abandonment")
    since = np.maximum(town.people.created_at, town.settings.start)
    habit = town.people.orders_per_day / town.people.orders_per_day.mean()
    share = (town.settings.end - since) / (90 * DAY)
    carts = np.repeat(np.arange(town.people.count), rng.poisson(0.45 * (0.3 + 0.7 * habit) * share))
    at = since[carts] + (rng.random(len(carts)) * (town.settings.end - since[carts])).astype(
        np.int64
    )
    entry = journeys.enter(at)
    texted = town.people.has_sms[carts]
    looks = np.repeat(np.arange(town.people.count), rng.poisson(0.16 * share))
    seen_at = since[looks] + (rng.random(len(looks)) * (town.settings.end - since[looks])).astype(
        np.int64
    )
    returns = np.flatnonzero(happens(rng.random(len(carts)), 0.09))
    delay = rng.exponential(14 * HOUR, len(returns)).astype(np.int64) + HOUR
    own = Orders(
        carts[returns],
        at[returns] + delay,
        orders.draw_baskets(rng, town.people, carts[returns]),
    )
    dues = [
        _due("cart_abandonment_email_1", carts, at + HOUR, entry),
        _due("cart_abandonment_sms_1", carts[texted], at[texted] + 7 * HOUR, entry[texted]),
        _due("browse_abandonment_email_1", looks, seen_at + 2 * HOUR, journeys.enter(seen_at)),
    ]
    return dues, own


def winback(town: Town, history: Orders, journeys: Journeys) -> list[Due]:
    """One e-mail after sixty days of silence, once a person, in the experiment's time."""
    rng = town.settings.stream("winback")
    order = np.lexsort((history.at, history.person))
    person, at = history.person[order], history.at[order]
    gap = np.full(len(at), np.iinfo(np.int64).max)
    same = person[1:] == person[:-1]
    gap[:-1][same] = at[1:][same] - at[:-1][same]
    due_at = at + WINBACK_AFTER + rng.integers(0, 3 * DAY, len(at))
    is_due = (gap > WINBACK_AFTER + 3 * DAY) & (due_at >= town.settings.end - 85 * DAY)
    is_due &= town.people.created_at[person] < due_at
    due, first = np.unique(person[is_due], return_index=True)
    entered_at = due_at[is_due][first]
    return [_due("winback_reminder_email_1", due, entered_at, journeys.enter(entered_at))]


def replenishment(town: Town, history: Orders, journeys: Journeys) -> list[Due]:
    """A reminder thirty days after coffee or tea, by e-mail to some and by SMS to others."""
    rng = town.settings.stream("replenishment")
    at = history.at + 30 * DAY + rng.integers(0, 6 * HOUR, history.count)
    due = np.flatnonzero((history.baskets.family < 2) & (at >= town.settings.start))  # noqa: PLR2004 - coffee and tea
    person, at = history.person[due], at[due]
    channel = rng.random(len(due))
    emailed = happens(channel, 0.6)
    texted = ~emailed & town.people.has_sms[person]
    entry = journeys.enter(at)
    return [
        _due("replenishment_email_1", person[emailed], at[emailed], entry[emailed]),
        _due("replenishment_sms_1", person[texted], at[texted], entry[texted]),
    ]


def broadcasts(town: Town, journeys: Journeys) -> list[Due]:
    """The weekly newsletter, promotions by SMS and push, tips in the app, and a flash sale.

    The flash sale's three e-mails in its last five days are what over-messages the people who
    are in every audience.
    """
    rng = town.settings.stream("broadcasts")
    rate = PROMOTION_RATE[town.people.kind]
    plan: list[tuple[str, int, Floats]] = []
    for week in range(NEWSLETTER_WEEKS):
        number = LAST_NEWSLETTER_ID - week
        is_tested = number == EXPERIMENT_NEWSLETTER_ID
        audience = np.full(town.people.count, _EXPERIMENT_AUDIENCE) if is_tested else rate
        at = town.settings.end - (5 + 7 * week) * DAY + 10 * HOUR
        plan.append((f"weekly_edit_email_{number}", at, audience))
    for week in (1, 4, 7, 10):
        at = town.settings.end - 7 * week * DAY + 16 * HOUR
        plan.append(("promotion_sms_1", at, town.people.has_sms * np.maximum(rate, 0.18)))
        plan.append(("promotion_push_1", at + DAY, town.people.has_app * np.maximum(rate, 0.15)))
        plan.append(
            ("app_tips_in_app_1", at + 2 * DAY, town.people.has_app * np.full_like(rate, 0.12))
        )
    sale = np.where(town.people.kind == HAMMERED, 0.95, 0.03)
    plan += [
        (f"flash_sale_email_{number}", town.settings.end - days * DAY + 9 * HOUR, sale)
        for number, days in ((1, 5), (2, 3), (3, 1))
    ]
    dues = []
    for name, at, audience in sorted(plan, key=lambda item: item[1]):
        is_in = (rng.random(town.people.count) < audience) & (town.people.created_at < at)
        person = np.flatnonzero(is_in)
        sent_at = at + rng.integers(0, 30 * 60, len(person))
        dues.append(_due(name, person, sent_at, journeys.enter(sent_at)))
    return dues


def after_orders(town: Town, placed: Orders, journeys: Journeys) -> Due:
    """Receipt, dispatch notice and advice after each order. They cause nothing and end nothing."""
    rng = town.settings.stream("after orders")
    rows = np.flatnonzero(placed.at >= town.settings.start)
    person, at = placed.person[rows], placed.at[rows]
    draw = rng.random((len(rows), 3))
    is_kept = ~placed.baskets.is_cancelled[rows]
    advised = is_kept & happens(draw[:, 0], 0.28)
    in_app = is_kept & town.people.has_app[person] & happens(draw[:, 1], 0.4)
    shipped = is_kept & town.people.has_app[person]
    entry = journeys.enter(at)
    parts = [
        _due("order_receipt_email", person, at + 60, entry),
        _due("order_shipped_push", person[shipped], at[shipped] + 26 * HOUR, entry[shipped]),
        _due("education_email_1", person[advised], at[advised] + 7 * DAY, entry[advised]),
        _due("education_in_app_1", person[in_app], at[in_app] + 8 * DAY, entry[in_app]),
    ]
    return merge(town, parts)


def merge(town: Town, parts: list[Due]) -> Due:
    """Several flows as one list, in order of person and time, without what lies outside."""
    message = np.concatenate([part.message for part in parts])
    person = np.concatenate([part.person for part in parts])
    at = np.concatenate([part.at for part in parts])
    entry = np.concatenate([part.entry for part in parts])
    order = np.lexsort((message, at, person))
    order = order[(at[order] >= town.settings.start) & (at[order] < town.settings.end)]
    return Due(message[order], person[order], at[order], entry[order])


def profile_of(town: Town, due: Due) -> Ints:
    """Which profile each message goes to: half the journeys before a merge use the second."""
    uses_second = town.settings.stream("profile of journey").random(
        int(due.entry.max(initial=0)) + 1
    )
    second = town.people.second_profile[due.person]
    is_second = (second >= 0) & (due.at < town.people.merged_at[due.person])
    is_second &= happens(uses_second[due.entry], 0.5)
    return np.where(is_second, second, due.person)


def pressure_of(due: Due) -> Ints:
    """How many messages were due to the same person in the seven days before each."""
    clock = (due.person << 33) + due.at
    return np.arange(len(clock)) - np.searchsorted(clock, clock - 7 * DAY)


def draw(town: Town, due: Due) -> Sends:
    """Attach to each due message the draws that decide what becomes of it in every world."""
    rng = town.settings.stream("fates")
    count = len(due.message)
    is_email = np.array([message.channel == "email" for message in MESSAGES])[due.message]
    emailed = np.flatnonzero(is_email)
    is_first = np.zeros(count, dtype=bool)
    is_first[emailed] = np.diff(due.person[emailed], prepend=-1) != 0
    draws = rng.random((4, count))
    return Sends(
        message=due.message,
        person=due.person,
        profile=profile_of(town, due),
        at=due.at,
        entry=due.entry,
        pressure=pressure_of(due),
        is_first_email=is_first,
        fate=draws[0],
        kept=draws[1],
        leaves=draws[2],
        buys=draws[3],
        buys_after=rng.exponential(1.0, count),
        baskets=orders.draw_baskets(rng, town.people, due.person),
    )
