"""Rates of messages of which each person has several, which are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
import scipy
from evidence import Compute, Row, close

if TYPE_CHECKING:
    from collections.abc import Sequence

Counts = npt.NDArray[np.int64]

WORLDS = 1000
PEOPLE = 300


def _sums(successes: Counts, trials: Counts) -> Row:
    """What the macro takes of people's successes and trials."""
    return {
        "people": len(trials),
        "successes": int(successes.sum()),
        "trials": int(trials.sum()),
        "ss": int((successes**2).sum()),
        "tt": int((trials**2).sum()),
        "st": int((successes * trials).sum()),
    }


def _worlds(*, rate: float, alike: float) -> Sequence[tuple[Counts, Counts]]:
    """People with one to thirty messages, whose own rates vary (beta) by how alike theirs are."""
    random = np.random.default_rng(20260901)
    worlds = []
    for _ in range(WORLDS):
        trials = np.minimum(1 + random.geometric(0.25, PEOPLE), 30)
        if alike:
            weight = (1 - alike) / alike
            own = random.beta(rate * weight, (1 - rate) * weight, PEOPLE)
        else:
            own = np.full(PEOPLE, rate)
        worlds.append((random.binomial(trials, own), trials))
    return worlds


def _wilson(rate: float, n: float) -> tuple[float, float]:
    """Where a score test at 5 % no longer rejects (E. B. Wilson, JASA 22, 1927)."""
    z = scipy.stats.norm.ppf(0.975)
    middle, half = rate + z**2 / (2 * n), z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def _held(bounds: Sequence[tuple[float, float]], rate: float) -> float:
    return float(np.mean([low <= rate <= high for low, high in bounds]))


def test_the_variance_is_the_sandwich_over_people(compute: Compute) -> None:
    random = np.random.default_rng(4)
    trials = random.integers(1, 40, 80)
    successes = random.binomial(trials, random.beta(0.4, 3.6, 80))
    rate = successes.sum() / trials.sum()
    residuals = successes - rate * trials
    sandwich = 80 / 79 * (residuals**2).sum() / trials.sum() ** 2
    [answer] = compute("clustered_proportion", [_sums(successes, trials)])
    assert answer["n"] == close(rate * (1 - rate) / sandwich)
    assert answer["n"] < trials.sum() / 2
    assert (answer["low"], answer["high"]) == close(_wilson(rate, answer["n"]))


def test_no_more_trials_count_than_there_are_and_none_that_tell_nothing(compute: Compute) -> None:
    even, never, always, alone = (
        _sums(np.array(successes), np.array(trials))
        for successes, trials in (
            ([5, 5], [10, 10]),
            ([0, 0, 0], [9, 4, 8]),
            ([9, 4], [9, 4]),
            ([3], [10]),
        )
    )
    answers = compute("clustered_proportion", [even, never, always, alone])
    assert [answer["n"] for answer in answers] == [20, 3, 2, 1]


@pytest.mark.parametrize(("rate", "alike"), [(0.08, 0.3), (0.02, 0.1), (0.3, 0.5), (0.08, 0.0)])
def test_intervals_hold_the_rate_nineteen_times_in_twenty(
    compute: Compute, rate: float, alike: float
) -> None:
    worlds = _worlds(rate=rate, alike=alike)
    answers = compute("clustered_proportion", [_sums(*world) for world in worlds])
    held = _held([(answer["low"], answer["high"]) for answer in answers], rate)
    assert 0.93 <= held <= 0.97
    naive = _held(
        [_wilson(successes.sum() / trials.sum(), trials.sum()) for successes, trials in worlds],
        rate,
    )
    # the more alike a person's messages are, the further Wilson's own interval is too narrow
    assert naive < held - alike / 4 or alike == 0
