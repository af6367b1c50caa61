"""What surely keeps to a schema keeps to it as jsonschema reads it; what dbt reads surely does."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from dbt.contracts.graph import nodes, unparsed
from hypothesis import given
from hypothesis import strategies as some

from cio.dbt_schemas import surely

WORDS = some.sampled_from(["a", "b", "warn", "1", ""])
DATA: some.SearchStrategy[Any] = some.recursive(
    some.none() | some.booleans() | some.sampled_from([0, 1, 1.0, 2.5]) | WORDS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def kinds(inner: some.SearchStrategy[Any]) -> some.SearchStrategy[Any]:
    types = ["array", "boolean", "integer", "null", "number", "object", "string"]
    return some.fixed_dictionaries(
        {},
        optional={
            "type": some.sampled_from(types) | some.just(["string", "null"]),
            "properties": some.dictionaries(WORDS, inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "items": inner,
            "required": some.lists(WORDS, max_size=2),
            "anyOf": some.lists(inner, min_size=1, max_size=2),
            "enum": some.lists(DATA, min_size=1, max_size=2),
            "const": DATA,
            "pattern": some.sampled_from(["^a", "[0-9]"]),
            "minLength": some.just(2),
            "title": WORDS,
            "default": DATA,
        },
    )


SCHEMAS = some.recursive(some.booleans() | kinds(some.booleans()), kinds, max_leaves=4)

EXAMPLES: list[tuple[Any, dict[str, Any], str]] = [
    (
        unparsed.UnparsedNodeUpdate,
        {
            "name": "people",
            "original_file_path": "models/people.yml",
            "yaml_key": "models",
            "package_name": "ours",
            "description": "One row a person.",
            "config": {"access": "public", "meta": {"of": [1, None, {"a": True}]}},
            "columns": [{"name": "person_id", "data_type": "string", "data_tests": ["unique"]}],
        },
        "columns",
    ),
    (
        unparsed.UnparsedUnitTest,
        {
            "name": "a_rule",
            "model": "people",
            "given": [{"input": "ref('a')", "rows": [{"id": 1}]}],
            "expect": {"rows": [{"id": 1, "at": None}]},
        },
        "given",
    ),
    (nodes.NodeConfig, {"materialized": "table", "tags": ["a"], "enabled": True}, "tags"),
]


@given(SCHEMAS, DATA)
def test_what_is_sure_is_so(schema: Any, data: Any) -> None:  # noqa: ANN401 - any of them
    if surely(schema)(data):
        assert jsonschema.Draft7Validator(schema).is_valid(data)


@pytest.mark.parametrize(("of", "data", "name"), EXAMPLES)
def test_what_dbt_reads_is_sure_where_it_is_right(
    of: Any,  # noqa: ANN401 - classes of dbt's
    data: dict[str, Any],
    name: str,
) -> None:
    check = surely(of.json_schema())
    slow = jsonschema.Draft7Validator(of.json_schema())
    assert check(data)
    others = [data | {name: wrong} for wrong in ("text", 7, [{"unheard_of": {}}, 7])]
    assert [check(other) for other in others] == [slow.is_valid(other) for other in others]
    assert not all(check(other) for other in others)
