"""Sample ratio, looking every day, many tests and assignment."""

import hashlib

import numpy as np
import pytest
import scipy
from evidence import Compute, close


def test_the_sample_ratio_check(compute: Compute) -> None:
    cases = [
        ([21306, 21307, 21387], [1, 1, 1], 0.20253125, 0.9036929575604196),
        ([4350, 12650], [25, 75], 3.1372549019607843, 0.07652250047505939),
        ([1000, 19000], [5, 95], 0.0, 1.0),
        ([940, 19060], [5, 95], 3.7894736842105265, 0.05157586362087707),
        ([821588, 815482], [1, 1], 22.77436884189436, 1.8217928726191858e-06),
        ([166080, 171180, 166300], [1, 1, 1], 99.04043212328224, 3.116329865438442e-22),
    ]
    rows = [
        {"experiment": number, "people": people, "share": weight / sum(weights)}
        for number, (observed, weights, _, _) in enumerate(cases)
        for people, weight in zip(observed, weights, strict=True)
    ]
    answers = compute("sample_ratio", rows)
    for (_, _, chi_square, p_value), answer in zip(cases, answers, strict=True):
        assert answer["chi_square"] == pytest.approx(chi_square, rel=1e-9, abs=1e-15)
        assert answer["p_value"] == close(p_value, 1e-9)


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


def test_the_sample_ratio_may_be_checked_every_day(compute: Compute) -> None:
    cases = [
        ([510, 490], [0.5, 0.5], -1.0192267045763401),
        ([940, 19060], [0.05, 0.95], -0.7170842469781746),
        ([700, 19300], [0.05, 0.95], 49.89141026255811),
        ([21306, 21307, 21387], [1 / 3, 1 / 3, 1 / 3], -6.368617718675523),
    ]
    rows = [
        {"experiment": number, "people": people, "share": share}
        for number, (observed, shares, _) in enumerate(cases)
        for people, share in zip(observed, shares, strict=True)
    ]
    answers = [row["log_factor"] for row in compute("sample_ratio", rows)]
    # Logarithms of gamma near 6e5 leave 1e-10.
    assert answers == pytest.approx([case[2] for case in cases], rel=1e-9, abs=1e-9)


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


def test_always_valid_intervals_are_growthbooks(compute: Compute) -> None:
    row = {"effect": 0.4244122159365967, "se": 0.13033285852919116, "people": 42693}
    early, late, unknown = compute(
        "always_valid",
        [{**row, "planned": 5000}, {**row, "planned": 42000}, {**row, "planned": 5, "se": None}],
    )
    assert early == close({"half_width": 0.41976468073897033, "p_value": 0.04462165849914281})
    assert late == close({"half_width": 0.39557922778225557, "p_value": 0.026919545342089065})
    assert unknown == {"half_width": None, "p_value": None}


_P_VALUES = [0.0011293966, 0.00015602836, 0.03046865, 0.0205, 0.2, 0.04, 0.9]


def test_families_of_tests_are_adjusted(compute: Compute) -> None:
    rows = [{"p": p, "family": "first"} for p in _P_VALUES]
    # A test without a p-value is no test; a family does not see the other; ties share their value.
    rows += [{"p": None, "family": "first"}]
    rows += [{"p": p, "family": "second"} for p in [0.03, 0.03, 0.03]]
    answers = compute("multiplicity", rows)
    assert [row["benjamini_hochberg"] for row in answers[:7]] == close(
        scipy.stats.false_discovery_control(_P_VALUES)
    )
    holm = [0.0067763796, 0.00109219852, 0.1218746, 0.1025, 0.4, 0.1218746, 0.9]
    assert [row["holm"] for row in answers[:7]] == close(holm)
    assert answers[7] == {"benjamini_hochberg": None, "holm": None}
    assert answers[8:] == [{"benjamini_hochberg": close(0.03), "holm": close(0.09)}] * 3


def test_the_bucket_is_md5_as_any_language_computes_it(compute: Compute) -> None:
    known = [
        ("global_holdout_2026q1", "1", 4421),
        ("global_holdout_2026q1", "cust_42", 1160),
        ("global_holdout_2026q1", "0200102", 9053),
        ("global_holdout_2026q2", "cust_42", 9926),
    ]
    rows = [{"salt": salt, "id": person} for salt, person, _ in known]
    rows += [{"salt": "s", "id": f"ü{number}"} for number in range(50)]
    answers = compute("bucket", [*rows, {"salt": "s", "id": None}])
    assert [row["bucket"] for row in answers[:4]] == [bucket for _, _, bucket in known]
    for row, answer in zip(rows, answers, strict=False):
        digest = hashlib.md5(f"spring|{row['id']}".encode(), usedforsecurity=False).hexdigest()
        assert answer["small"] == int(digest[:8], 16) % 100
    assert answers[-1]["bucket"] is None
