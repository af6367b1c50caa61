"""Sample ratio, looking every day, many tests and assignment."""

import hashlib

import numpy as np
import pytest
import scipy
from evidence import Compute, Row, close
from vectors_of_rates import P_VALUES


def test_arms_planned_unlike_are_held_against_each_other_as_scipy_does(compute: Compute) -> None:
    cases = [
        ([540, 460], [0.5, 0.5]),
        ([400, 240, 160], [0.4, 0.2, 0.2]),
        ([812, 405, 188, 0], [0.5, 0.25, 0.125, 0.0005]),
        (list(range(900, 931)), [1 / 31] * 31),
    ]
    rows = [
        {"experiment": number, "people": people, "share": share / sum(shares)}
        for number, (observed, shares) in enumerate(cases)
        for people, share in zip(observed, shares, strict=True)
    ]
    answers = compute("sample_ratio", rows)
    for (observed, shares), answer in zip(cases, answers, strict=True):
        expected = [sum(observed) * share / sum(shares) for share in shares]
        theirs = scipy.stats.chisquare(observed, expected)
        assert answer["chi_square"] == pytest.approx(theirs.statistic, rel=1e-9)
        assert answer["p_value"] == pytest.approx(theirs.pvalue, rel=1e-6)


def test_the_sequential_check_is_the_posterior_over_the_plan_as_scipy_computes_it(
    compute: Compute,
) -> None:
    """A Dirichlet prior of 100 people about the plan, updated a day at a time over four arms."""
    shares = [0.5, 0.25, 0.125, 0.125]
    days = [[52, 20, 10, 18], [0, 0, 0, 0], [0, 90, 0, 0], [7, 0, 0, 41], [930, 410, 260, 240]]
    plan = np.array(shares)
    belief, expected, so_far, rows = 100 * plan, [], np.zeros(4), []
    factor = 0.0
    for number, day in enumerate(np.array(days)):
        # the chance of the day by what is believed so far, over its chance by the plan
        factor += (
            scipy.stats.dirichlet_multinomial.logpmf(day, belief, day.sum())
            - scipy.stats.multinomial.logpmf(day, day.sum(), plan)
            if day.sum()
            else 0.0
        )
        belief, so_far = belief + day, so_far + day
        expected.append(factor)
        rows += [
            {"experiment": number, "people": int(people), "share": share}
            for people, share in zip(so_far, shares, strict=True)
        ]
    answers = [row["log_factor"] for row in compute("sample_ratio", rows)]
    assert answers == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_without_a_standard_error_nothing_is_always_valid(compute: Compute) -> None:
    row = {"effect": 0.4244122159365967, "people": 42693, "planned": 5, "se": None}
    [unknown] = compute("always_valid", [row])
    assert unknown["half_width"] is None
    assert unknown["p_value"] is None


def test_families_of_tests_are_adjusted(compute: Compute) -> None:
    rows: list[Row] = [{"p": p, "family": "first"} for p in P_VALUES]
    # A test without a p-value is no test; a family does not see the other; ties share their value.
    rows += [{"p": None, "family": "first"}]
    rows += [{"p": p, "family": "second"} for p in [0.03, 0.03, 0.03]]
    answers = compute("multiplicity", rows)
    assert [row["benjamini_hochberg"] for row in answers[:7]] == close(
        scipy.stats.false_discovery_control(P_VALUES)
    )
    assert answers[7]["benjamini_hochberg"] is None
    assert answers[7]["holm"] is None
    adjusted = [(row["benjamini_hochberg"], row["holm"]) for row in answers[8:]]
    assert adjusted == [(close(0.03), close(0.09))] * 3


def test_the_bucket_is_md5_as_any_language_computes_it(compute: Compute) -> None:
    rows: list[Row] = [{"salt": "s", "id": f"ü{number}"} for number in range(50)]
    answers = compute("bucket", [*rows, {"salt": "s", "id": None}])
    for row, answer in zip(rows, answers, strict=False):
        digest = hashlib.md5(f"spring|{row['id']}".encode(), usedforsecurity=False).hexdigest()
        assert answer["small"] == int(digest[:8], 16) % 100
    assert answers[-1]["bucket"] is None
