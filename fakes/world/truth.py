"""The known truth: what each experiment really did to the people in it.

For each person of an experiment the world is played with everyone held out and with everyone in
an arm, on the same random draws. The difference of a person's outcomes in `[index, index + window)`
is that person's effect, and its mean over mature people is the true intention-to-treat effect,
without any sampling error.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from fakes.world.catalogue import ASSIGNED, EXPERIMENTS, Experiment
from fakes.world.orders import Orders, join
from fakes.world.outcomes import ABSENT, Arms, Played, entry_message, play
from fakes.world.settings import HOUR, Flags, Floats, Ints

if TYPE_CHECKING:
    from fakes.world.people import Town
    from fakes.world.sends import Sends

METRICS = ("conversion_rate", "orders_per_person", "revenue_per_person")
DEFINITION = (
    "Outcomes are orders with index <= ordered_at < index + window_hours that were not cancelled; "
    "index is the first drafted event of the experiment's message, real or trapped; revenue is "
    "total_amount, gross of refunds; people with index + window_hours after complete_through, "
    "and people seen in two arms, are left out."
)


@dataclass(frozen=True)
class Participants:
    """The people of one experiment: arm, index second, and whether their window has closed."""

    person: Ints
    arm: Ints
    index_at: Ints
    is_mature: Flags
    mixed: int


def participants(town: Town, sends: Sends, played: Played, arms: Arms, number: int) -> Participants:
    """Find who is in the experiment, as its messages show it."""
    experiment = ASSIGNED[number]
    is_in = (sends.message == entry_message(experiment)) & (played.state != ABSENT)
    person = sends.person[is_in]
    arm = arms[number][sends.profile[is_in]]
    at = sends.at[is_in]
    unique, first = np.unique(person, return_index=True)
    lowest = np.minimum.reduceat(arm, first) if len(first) else arm
    highest = np.maximum.reduceat(arm, first) if len(first) else arm
    is_clear = lowest == highest
    index_at = at[first][is_clear]
    window = experiment.window_hours * HOUR
    return Participants(
        person=unique[is_clear],
        arm=lowest[is_clear],
        index_at=index_at,
        is_mature=index_at + window <= town.settings.end,
        mixed=int((~is_clear).sum()),
    )


def outcomes(
    orders: Orders, people: int, person: Ints, index_at: Ints, window_hours: int
) -> dict[str, Floats]:
    """Each person's outcomes in the window after the index.

    Returns:
        For each metric, one value for each entry of `person`.
    """
    opens = np.full(people, np.iinfo(np.int64).max)
    opens[person] = index_at
    since = opens[orders.person]
    is_in = (orders.at >= since) & (orders.at - since < window_hours * HOUR)
    is_in &= ~orders.baskets.is_cancelled
    buyers = orders.person[is_in]
    number = np.bincount(buyers, minlength=people)[person].astype(np.float64)
    cents = np.bincount(buyers, orders.total_cents[is_in].astype(np.float64), minlength=people)
    return {
        "conversion_rate": (number > 0).astype(np.float64),
        "orders_per_person": number,
        "revenue_per_person": cents[person] / 100,
    }


def tell(town: Town, sends: Sends, played: Played, arms: Arms, own: Orders) -> dict[str, object]:
    """The truth of every experiment.

    Args:
        town: everyone.
        sends: every due message with its draws.
        played: the world as it really went.
        arms: the arms as they were really drawn.
        own: the orders that no message caused.
    """
    stories: dict[str, object] = {}
    for number, experiment in enumerate(ASSIGNED):
        who = participants(town, sends, played, arms, number)
        person, index_at = who.person[who.is_mature], who.index_at[who.is_mature]
        is_theirs = np.zeros(town.people.count, dtype=bool)
        is_theirs[person] = True
        theirs, baseline = sends.take(is_theirs[sends.person]), own.take(is_theirs[own.person])
        potential = [
            outcomes(
                join([baseline, play(town, theirs, _everyone_in(arms, number, arm)).caused]),
                town.people.count,
                person,
                index_at,
                experiment.window_hours,
            )
            for arm in range(len(experiment.arms))
        ]
        stories[experiment.experiment_id] = _story(experiment, who, potential)
    for experiment in EXPERIMENTS:
        if not experiment.is_assigned:
            stories[experiment.experiment_id] = {"has_random_assignment": False, "arms": {}}
    return {
        "definition": DEFINITION,
        "parameters": asdict(town.settings.effects),
        "experiments": stories,
    }


def _everyone_in(arms: Arms, number: int, arm: int) -> Arms:
    """The arms with everyone in one arm of one experiment, and the others as they were drawn."""
    return tuple(
        np.full_like(drawn, arm) if place == number else drawn for place, drawn in enumerate(arms)
    )


def _story(
    experiment: Experiment, who: Participants, potential: list[dict[str, Floats]]
) -> dict[str, object]:
    told: dict[str, object] = {}
    for place, arm in enumerate(experiment.arms):
        is_here = who.arm == place
        told[arm.name] = {
            "is_control": arm.is_control,
            "people": int(is_here.sum()),
            "mature_people": int((is_here & who.is_mature).sum()),
            "metrics": {
                metric: {
                    "potential_mean": _mean(potential[place][metric]),
                    "true_effect": _mean(potential[place][metric] - potential[0][metric]),
                }
                for metric in METRICS
            },
        }
    return {
        "has_random_assignment": True,
        "control_arm": experiment.arms[0].name,
        "window_hours": experiment.window_hours,
        "people": len(who.person),
        "mature_people": int(who.is_mature.sum()),
        "mixed_people": who.mixed,
        "arms": told,
    }


def _mean(values: Floats) -> float | None:
    """The mean, or nothing where a small world has nobody to average."""
    return float(values.mean()) if len(values) else None
