"""What the vendor reports of each delivery, human and machine, and of people themselves."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from fakes.world import extras
from fakes.world.outcomes import (
    BOUNCED,
    DELIVERED,
    DROPPED,
    EMAIL,
    FAILED,
    IN_APP,
    PUSH,
    SMS,
    UNDELIVERABLE,
    Played,
)
from fakes.world.people import GONE_COLD, Town
from fakes.world.settings import DAY, HOUR, NEVER, Flags, Floats, Ints, WorldSettings, happens

if TYPE_CHECKING:
    from fakes.world.deliveries import Deliveries

METRICS = (
    "drafted",
    "attempted",
    "sent",
    "delivered",
    "opened",
    "clicked",
    "converted",
    "bounced",
    "dropped",
    "undeliverable",
    "failed",
    "unsubscribed",
    "spammed",
    "subscribed",
    "cio_subscription_preferences_changed",
)
METRIC = {name: code for code, name in enumerate(METRICS)}
OBJECTS = ("email", "sms", "push", "in_app", "customer")
CUSTOMER = 4

_OPEN_RATES = np.array([0.30, 0.62, 0.08, 0.06, 0.50, 0.03])
_CLICK_RATES = np.array(
    [
        [0.045, 0.20, 0.0, 0.0, 0.17, 0.0],
        [0.09, 0.20, 0.01, 0.42, 0.10, 0.0],
        [0.03, 0.09, 0.0, 0.04, 0.05, 0.0],
        [0.10, 0.25, 0.02, 0.10, 0.12, 0.0],
    ]
)
"""Share of received messages that each kind of person clicks, a row a channel."""

_LUCK = _CLICKS, _LATE, _OPENS, _PROXIED, _UNFLAGGED, _FETCHED, _LINK, _AGAIN = tuple(range(8))


@dataclass(frozen=True)
class Events:
    """One entry an event; `delivery` is -1 where the event belongs to no delivery."""

    at: Ints
    metric: Ints
    delivery: Ints
    profile: Ints
    object: Ints
    extra: Ints

    @property
    def count(self) -> int:
        """Number of events."""
        return len(self.at)


class _Log:
    """Collects events column by column."""

    def __init__(self, deliveries: Deliveries) -> None:
        self.deliveries = deliveries
        self.parts: list[tuple[Ints, ...]] = []

    def add(self, metric: str, delivery: Ints, at: Ints, extra: Ints | int = 0) -> None:
        count = len(delivery)
        self.parts.append(
            (
                at,
                np.full(count, METRIC[metric]),
                delivery,
                self.deliveries.profile[delivery],
                self.deliveries.channel[delivery],
                np.full(count, extra) if isinstance(extra, int) else extra,
            )
        )

    def add_person(self, metric: str, profile: Ints, at: Ints, extra: int = 0) -> None:
        count = len(profile)
        self.parts.append(
            (
                at,
                np.full(count, METRIC[metric]),
                np.full(count, -1),
                profile,
                np.full(count, CUSTOMER),
                np.full(count, extra),
            )
        )

    def close(self, end: int) -> Events:
        columns = [np.concatenate(column) for column in zip(*self.parts, strict=True)]
        is_in_time = columns[0] <= end
        return Events(*(column[is_in_time] for column in columns))


@dataclass(frozen=True)
class _Reception:
    """The messages that arrived, with what decides how people and machines treat them."""

    delivery: Ints
    at: Ints
    message: Ints
    channel: Ints
    kind: Ints
    pressure: Ints
    bought_at: Ints
    next_order_at: Ints
    is_cold: Flags
    is_fetched: Flags
    is_scanned: Flags
    luck: Floats
    wait: Floats

    def take(self, rows: Ints) -> _Reception:
        columns = {f.name: getattr(self, f.name)[..., rows] for f in fields(self)}
        return _Reception(**columns)


def report(town: Town, deliveries: Deliveries, played: Played) -> Events:
    """Everything the vendor reports, in no order, up to the end of the world."""
    log = _Log(deliveries)
    delivery, at = _transport(town.settings, deliveries, log)
    arrived = _receive(town, deliveries, delivery, at)
    _machines(log, arrived)
    _humans(log, arrived)
    _departures(deliveries, log)
    _person_events(town, played, log)
    return log.close(town.settings.end)


def _transport(settings: WorldSettings, deliveries: Deliveries, log: _Log) -> tuple[Ints, Ints]:
    """From drafted to delivered, or to one of the ways in which a message does not arrive."""
    rng = settings.stream("transport")
    state, at, channel = deliveries.state, deliveries.at, deliveries.channel
    everyone = np.arange(deliveries.count)
    log.add("drafted", everyone, at)
    went = everyone[(state == DELIVERED) | (state == BOUNCED)]
    sent_at = at[went] + rng.integers(1, 15, len(went))
    log.add("sent", went, sent_at)
    outcome_at = sent_at + 1 + rng.exponential(20, len(went)).astype(np.int64)
    is_received = state[went] == DELIVERED
    received, received_at = went[is_received], outcome_at[is_received]
    shown = channel[received] != IN_APP
    log.add("delivered", received[shown], received_at[shown])
    bounced = went[~is_received]
    reasons = np.array([extras.BAD_ADDRESS, extras.UNREACHABLE, extras.NO_DEVICES, 0])
    log.add("bounced", bounced, outcome_at[~is_received], reasons[channel[bounced]])
    retried = everyone[(state == UNDELIVERABLE) | (state == FAILED)]
    why = np.where(state[retried] == FAILED, extras.NOT_RENDERED, extras.OVER_LIMIT)
    log.add("attempted", retried, at[retried] + 2, why)
    limited = everyone[state == UNDELIVERABLE]
    log.add("undeliverable", limited, at[limited] + 2 * HOUR, extras.OVER_LIMIT)
    failed = everyone[state == FAILED]
    log.add("failed", failed, at[failed] + HOUR, extras.NOT_RENDERED)
    dropped = everyone[state == DROPPED]
    log.add("dropped", dropped, at[dropped] + 1, extras.SUPPRESSED)
    return received, received_at


def _receive(town: Town, deliveries: Deliveries, delivery: Ints, at: Ints) -> _Reception:
    rng = town.settings.stream("engagement")
    people, person = town.people, deliveries.person[delivery]
    luck = rng.random((len(_LUCK), len(delivery)))
    kind = people.kind[person]
    return _Reception(
        delivery=delivery,
        at=at,
        message=deliveries.message[delivery],
        channel=deliveries.channel[delivery],
        kind=kind,
        pressure=np.minimum(deliveries.pressure[delivery], 10),
        bought_at=deliveries.bought_at[delivery],
        next_order_at=deliveries.next_order_at[delivery],
        is_cold=(kind == GONE_COLD) & (at > people.cold_from[person]),
        is_fetched=people.is_prefetched[person] & happens(luck[_FETCHED], 0.97),
        is_scanned=people.is_scanned[person],
        luck=luck,
        wait=rng.exponential(1.0, (3, len(delivery))),
    )


def _machines(log: _Log, arrived: _Reception) -> None:
    """Privacy proxies fetch the pictures after delivery; link scanners try the links."""
    is_email = arrived.channel == EMAIL
    fetched = arrived.take(np.flatnonzero(is_email & arrived.is_fetched))
    yes = np.ones(len(fetched.at), dtype=bool)
    after = 2 + (fetched.wait[2] * 200).astype(np.int64)
    code = extras.opened(proxied=yes, prefetched=yes, synthetic=~yes)
    log.add("opened", fetched.delivery, fetched.at + after, code)
    scanned = arrived.take(np.flatnonzero(is_email & arrived.is_scanned))
    yes = np.ones(len(scanned.at), dtype=bool)
    code = extras.opened(proxied=~yes, prefetched=yes, synthetic=yes)
    log.add("opened", scanned.delivery, scanned.at + 4, code)
    for link in (0, 1):
        which, machine = np.full(len(yes), link), np.full(len(yes), extras.MACHINE)
        code = extras.clicked(scanned.message, which, machine)
        log.add("clicked", scanned.delivery, scanned.at + 4 + 2 * link, code)


def _humans(log: _Log, arrived: _Reception) -> None:
    """Clicks first, because a click decides whether an open was seen or is inferred."""
    clicks = arrived.luck[_CLICKS] < _click_rates(arrived)
    opened_at = arrived.at + 20 + (arrived.wait[0] * 4 * HOUR).astype(np.int64)
    clicked_at = opened_at + 5 + (arrived.wait[1] * 90).astype(np.int64)
    is_late = happens(arrived.luck[_LATE], 0.03)
    clicked_at += is_late * (3 * DAY + (arrived.wait[2] * 7 * DAY).astype(np.int64))
    # who buys because of a message clicks before the order, not after it
    before_order = np.maximum(arrived.bought_at - 4 * 60, arrived.at + 30)
    clicked_at = np.minimum(clicked_at, before_order)
    opened_at = np.where(clicks, np.minimum(opened_at, clicked_at - 3), opened_at)
    _opens(log, arrived, clicks, opened_at, clicked_at)
    rows = np.flatnonzero(clicks)
    _clicks(log, arrived.take(rows), clicked_at[rows])
    is_next = (arrived.next_order_at > clicked_at) & (arrived.next_order_at < NEVER)
    attributed = arrived.take(np.flatnonzero(clicks & is_next))
    log.add("converted", attributed.delivery, attributed.next_order_at)


def _click_rates(arrived: _Reception) -> Floats:
    """How likely a human click is: habit, wear by pressure, and three in four buyers."""
    rate = _CLICK_RATES[arrived.channel, arrived.kind] * 0.88**arrived.pressure
    rate = np.where(arrived.is_cold, 0.0, rate)
    is_buyer = (arrived.bought_at < NEVER) & (rate > 0)
    return np.where(is_buyer, 0.75, rate)


def _opens(
    log: _Log, arrived: _Reception, clicks: Flags, opened_at: Ints, clicked_at: Ints
) -> None:
    """Opens by people; a click without a loaded picture gives a synthetic open."""
    rate = np.where(arrived.is_cold, 0.03, _OPEN_RATES[arrived.kind] * 0.94**arrived.pressure)
    opens = np.where(clicks, happens(arrived.luck[_OPENS], 0.9), arrived.luck[_OPENS] < rate)
    is_email = arrived.channel == EMAIL
    seen = np.flatnonzero(opens & is_email)
    proxied = happens(arrived.luck[_PROXIED, seen], 0.4)
    no = np.zeros(len(seen), dtype=bool)
    code = extras.opened(proxied=proxied, prefetched=no, synthetic=no)
    is_unflagged = happens(arrived.luck[_UNFLAGGED, seen], 0.02)
    code = np.where(is_unflagged, extras.opened_without_flags(len(seen)), code)
    log.add("opened", arrived.delivery[seen], opened_at[seen], code)
    inferred = np.flatnonzero(clicks & ~opens & is_email)
    no = np.zeros(len(inferred), dtype=bool)
    code = extras.opened(proxied=no, prefetched=no, synthetic=~no)
    log.add("opened", arrived.delivery[inferred], clicked_at[inferred], code)
    is_shown = (arrived.channel == IN_APP) | ((arrived.channel == PUSH) & (opens | clicks))
    shown = np.flatnonzero(is_shown)
    log.add("opened", arrived.delivery[shown], opened_at[shown])


def _clicks(log: _Log, clicked: _Reception, at: Ints) -> None:
    """One click, and for some a second one on the other link."""
    by = np.where(clicked.channel == EMAIL, extras.HUMAN, extras.UNFLAGGED)
    by = np.where(happens(clicked.luck[_UNFLAGGED], 0.02), extras.UNFLAGGED, by)
    link = happens(clicked.luck[_LINK], 0.2).astype(np.int64)
    log.add("clicked", clicked.delivery, at, extras.clicked(clicked.message, link, by))
    rows = np.flatnonzero(happens(clicked.luck[_AGAIN], 0.18))
    code = extras.clicked(clicked.message[rows], 1 - link[rows], by[rows])
    later = at[rows] + 40 + (clicked.wait[2, rows] * 200).astype(np.int64)
    log.add("clicked", clicked.delivery[rows], later, code)


def _departures(deliveries: Deliveries, log: _Log) -> None:
    leaving = np.flatnonzero(deliveries.left_at < NEVER)
    at = deliveries.left_at[leaving]
    log.add("unsubscribed", leaving, at)
    is_email = deliveries.channel[leaving] != SMS
    log.add_person("unsubscribed", deliveries.profile[leaving[is_email]], at[is_email] + 1)
    complaining = deliveries.complains[leaving]
    log.add("spammed", leaving[complaining], at[complaining] - 2)


def _person_events(town: Town, played: Played, log: _Log) -> None:
    """Sign-ups, opt-outs from the preferences page, and changes of topics."""
    settings, people = town.settings, town.people
    new = np.flatnonzero(people.created_at >= settings.start)
    log.add_person("subscribed", new, people.created_at[new])
    is_own = (people.opted_out_at >= settings.start) & (people.opted_out_at < NEVER)
    leaving = np.flatnonzero(is_own & (played.opted_out_at[0] == people.opted_out_at))
    log.add_person("unsubscribed", leaving, people.opted_out_at[leaving])
    rng = settings.stream("preferences")
    changing = np.flatnonzero(happens(rng.random(people.count), 0.01))
    at = rng.integers(settings.start, settings.end, len(changing))
    is_there = people.created_at[changing] < at
    log.add_person(
        "cio_subscription_preferences_changed",
        changing[is_there],
        at[is_there],
        extras.PREFERENCES,
    )
