"""Every published vector is what the macros compute, or is named as not shipped."""

import ast
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import vectors_of_means
import vectors_of_plans
import vectors_of_rates
import vectors_of_segments
from evidence import Compute
from vectors import ASSERTED_ON_PEOPLE, NOT_SHIPPED, Vector

VECTORS = [
    *vectors_of_means.VECTORS,
    *vectors_of_rates.VECTORS,
    *vectors_of_plans.VECTORS,
    *vectors_of_segments.VECTORS,
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector.name}-{vector.query}")
def test_the_macros_compute(compute: Compute, vector: Vector) -> None:
    answers = compute(vector.query, vector.rows)
    found = [
        {place: row[column] for place, (column, _) in wanted.items()}
        for row, wanted in zip(answers, vector.answers, strict=False)
    ]
    # 1e-15 for what is 0 but for rounding
    margin = {"rel": 1e-9, "abs": 1e-15}
    if vector.decimals:
        margin = {"rel": 0, "abs": 0.5 * 10**-vector.decimals}
    assert found == [
        pytest.approx({place: value for place, (_, value) in wanted.items()}, **margin)
        for wanted in vector.answers
    ]


def test_every_number_of_the_document_is_asserted_or_named_as_not_shipped(
    published: dict[str, float],
) -> None:
    asserted = ASSERTED_ON_PEOPLE | dict(
        number for vector in VECTORS for number in vector.outputs()
    )
    left_out = {
        place: [pattern for pattern in NOT_SHIPPED if fnmatchcase(place, pattern)]
        for place in published
        if place not in asserted
    }
    assert [place for place, patterns in left_out.items() if not patterns] == []
    assert {place: value for place, value in published.items() if place in asserted} == asserted
    # and nothing is said not to be shipped which is, or which the document does not have
    used = {pattern for patterns in left_out.values() for pattern in patterns}
    assert used == set(NOT_SHIPPED)
    assert not [place for place in asserted if any(fnmatchcase(place, one) for one in NOT_SHIPPED)]


def test_no_number_is_asserted_twice() -> None:
    places = [place for vector in VECTORS for place, _ in vector.outputs()]
    assert len(places) == len(set(places))
    assert not set(places) & set(ASSERTED_ON_PEOPLE)


def test_what_takes_peoples_rows_is_held_by_a_test_that_has_them() -> None:
    file = Path(__file__).resolve().parents[2] / "real_data" / "test_hillstrom.py"
    [test] = [
        node
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and node.name == "test_spend_was_cut_where_numpy_cuts_it"
    ]
    numbers = {node.value for node in ast.walk(test) if isinstance(node, ast.Constant)}
    assert set(ASSERTED_ON_PEOPLE.values()) <= numbers


@pytest.fixture
def published() -> dict[str, float]:
    """The document's numbers by their place in it."""
    document = Path(__file__).resolve().parents[4] / "shared" / "reference" / "test_vectors.json"
    if not document.is_file():
        # every number of it is asserted above, from our own tables; this only holds these tables
        # against the document, which is not ours to ship
        pytest.skip(f"nothing to hold the tables of vectors against: {document} is absent")
    return {
        place: value
        for place, value in _leaves(json.loads(document.read_text()))
        if ".outputs." in place and isinstance(value, bool | int | float)
    }


def _leaves(node: object, place: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(node, dict | list):
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        for key, below in entries:
            yield from _leaves(below, f"{place}.{key}" if place else str(key))
    else:
        yield place, node
