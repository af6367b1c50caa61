"""What is false, zero or empty is a value like any other, wherever it is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverse_etl.destinations import DESTINATIONS
from reverse_etl.http import Http

from .conformance import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conformance import Subject

# membership carries no values of a row's own
CARRYING = [s for s in SUBJECTS if not s.object.endswith("_members")]
VALUES = st.one_of(
    st.sampled_from([False, True, 0, 0.0, -0.5, 1, "", " ", "0", "false", "ü", None]),
    st.integers(-(2**53), 2**53),
)
PROPERTIES = st.dictionaries(st.sampled_from(["p_a", "p_b", "p_c"]), VALUES, min_size=1)
NOWHERE = "http://127.0.0.1:9"


def mappings(found: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """The objects within a record, at any depth."""
    if isinstance(found, dict):
        yield found
        for value in found.values():
            yield from mappings(value)
    elif isinstance(found, list):
        for value in found:
            yield from mappings(value)


def typed(values: dict[str, Any]) -> dict[str, tuple[type, Any]]:
    """Values with their types: to Python, false and zero are equal."""
    return {name: (type(value), value) for name, value in values.items()}


@pytest.mark.parametrize("subject", CARRYING, ids=lambda subject: subject.name)
def test_every_value_of_a_payload_is_in_the_record_with_its_type(subject: Subject) -> None:
    kind = DESTINATIONS[subject.destination].objects[subject.object]
    with Http(NOWHERE) as http:
        channel = kind.open(subject.settings(NOWHERE), subject.options, http)

        @settings(max_examples=20, deadline=None, derandomize=True, database=None)
        @given(PROPERTIES)
        def is_in_the_record(some: dict[str, Any]) -> None:
            values = some | {"p_always": 0}
            change = subject.change(1, payload=json.dumps(values))
            record = channel.encode(change._replace(identifier=subject.named(change.identifier)))
            (carried,) = [found for found in mappings(json.loads(record)) if "p_always" in found]
            # a null may be left out; it may not become something else
            kept = {name: carried.get(name) for name in values}
            assert typed(kept) == typed(values)

        is_in_the_record()
