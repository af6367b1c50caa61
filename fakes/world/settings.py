"""What a world is made from: its size, its dates, its seed and the effects planted in it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HOUR = 3600
DAY = 24 * HOUR
NEVER = 2**40
"""A second far after every world, for clocks that never strike."""


def happens(draws: Floats, share: float) -> Flags:
    """Whether each draw from the unit interval falls in a share of it."""
    return draws < share


@dataclass(frozen=True)
class Effects:
    """Probability that one delivered message causes one more order, before a person's own factor.

    These are parameters of the mechanism. What they come to, averaged over the people of an
    experiment, their delivery failures and their windows, is in `truth.json`.
    """

    cart_recovery: float = 0.10
    cart_recovery_sms: float = 0.05
    winback_reminder: float = 0.05
    winback_discount: float = 0.12
    newsletter: float = 0.0
    welcome: float = 0.03
    browse: float = 0.02
    replenishment: float = 0.04
    promotion: float = 0.004


@dataclass(frozen=True)
class WorldSettings:
    """Everything that decides the bytes of a world.

    Args:
        seed: the same seed and sizes give the same bytes.
        people: number of people (profiles are a few more: some people have two).
        days: length of the messaging history that ends at `ends_at`.
        ends_at: the instant the world stops; no event, order or refund is later. The experiment
            seeds in `fakes/company/seeds` fit the default.
        history_days: orders (not messages) reach this much further back.
        effects: what messages cause.
    """

    seed: int = 20260901
    people: int = 20_000
    days: int = 90
    ends_at: datetime = datetime(2026, 9, 1, tzinfo=UTC)
    history_days: int = 180
    effects: Effects = field(default_factory=Effects)

    def __post_init__(self) -> None:
        """Refuse what no world can be built from."""
        if self.people < 1 or self.days < 1:
            message = "a world needs at least one person and one day"
            raise ValueError(message)
        if self.ends_at.tzinfo is None:
            message = "ends_at needs a time zone (UTC), or the world would move with the machine"
            raise ValueError(message)

    @property
    def starts_at(self) -> datetime:
        """The first instant of messaging."""
        return self.ends_at - timedelta(days=self.days)

    @property
    def end(self) -> int:
        """`ends_at` in unix seconds."""
        return int(self.ends_at.timestamp())

    @property
    def start(self) -> int:
        """`starts_at` in unix seconds."""
        return self.end - self.days * DAY

    @property
    def history_start(self) -> int:
        """The first second at which an order can lie."""
        return self.start - self.history_days * DAY

    def stream(self, subject: str) -> np.random.Generator:
        """A random stream for one subject: a change in one leaves the others as they are."""
        return np.random.default_rng([self.seed, zlib.crc32(subject.encode())])
