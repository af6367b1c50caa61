"""What people buy: baskets, discounts, cancellations, refunds, and the orders nobody caused."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from fakes.world.people import FAMILIES, People, Town
from fakes.world.settings import DAY, Flags, Floats, Ints, happens

CODES = ("", "WELCOME10", "SUMMER15", "COMEBACK20")
_CODE_RATES = np.array([0.0, 0.10, 0.15, 0.20])
COMEBACK = 3
SKUS_PER_FAMILY = 8


@dataclass(frozen=True)
class Baskets:
    """What an order would be, drawn before anyone knows whether it is placed."""

    gross_cents: Ints
    code: Ints
    is_cancelled: Flags
    refund_share: Floats
    refund_delay: Ints
    family: Ints
    sku: Ints

    @property
    def discount_cents(self) -> Ints:
        """The discount that the code gives."""
        cents: Ints = np.rint(self.gross_cents * _CODE_RATES[self.code]).astype(np.int64)
        return cents


@dataclass(frozen=True)
class Orders:
    """Orders as arrays: who, when, and the basket."""

    person: Ints
    at: Ints
    baskets: Baskets

    @property
    def count(self) -> int:
        """Number of orders."""
        return len(self.person)

    @property
    def total_cents(self) -> Ints:
        """What the customer paid."""
        return self.baskets.gross_cents - self.baskets.discount_cents

    @property
    def refund_cents(self) -> Ints:
        """What the customer got back, if ever."""
        return np.rint(self.total_cents * self.baskets.refund_share).astype(np.int64)

    def take(self, rows: Ints | Flags) -> Orders:
        """The orders at some places."""
        baskets = Baskets(**{f.name: getattr(self.baskets, f.name)[rows] for f in fields(Baskets)})
        return Orders(self.person[rows], self.at[rows], baskets)


def join(parts: list[Orders]) -> Orders:
    """Several sets of orders as one."""
    names = [f.name for f in fields(Baskets)]
    return Orders(
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.at for part in parts]),
        Baskets(**{n: np.concatenate([getattr(p.baskets, n) for p in parts]) for n in names}),
    )


def draw_baskets(rng: np.random.Generator, people: People, person: Ints) -> Baskets:
    """Draw what each of these people would put in an order."""
    count = len(person)
    gross = people.basket[person] * rng.lognormal(0.0, 0.35, count)
    refund = rng.random(count)
    partial = rng.integers(2, 8, count) / 10
    return Baskets(
        gross_cents=np.rint(gross).astype(np.int64),
        code=rng.choice(3, count, p=(0.76, 0.09, 0.15)).astype(np.int64),
        is_cancelled=happens(rng.random(count), 0.02),
        refund_share=np.select(
            [happens(refund, 0.03), happens(refund, 0.06)], [np.ones(count), partial], 0.0
        ),
        refund_delay=rng.integers(2 * DAY, 25 * DAY, count),
        family=np.where(
            happens(rng.random(count), 0.7),
            people.family[person],
            rng.integers(0, len(FAMILIES), count),
        ),
        sku=rng.integers(0, SKUS_PER_FAMILY, count),
    )


def baseline(town: Town) -> Orders:
    """Orders that no message caused: a Poisson stream for each person, history included."""
    settings, people = town.settings, town.people
    rng = settings.stream("baseline orders")
    since = np.maximum(people.created_at, settings.history_start)
    days = (settings.end - since) / DAY
    number = rng.poisson(people.orders_per_day * days)
    person = np.repeat(np.arange(people.count), number)
    span = settings.end - since[person]
    at = since[person] + (rng.random(len(person)) * span).astype(np.int64)
    return Orders(person, at, draw_baskets(rng, people, person))
