"""Says of most data at once that it keeps to a JSON schema; what is not sure is left to jsonschema.

dbt holds each part of a project to the schema of its class. jsonschema makes objects for each value
it looks at, which was a sixth of parsing this project.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[Any], bool]

_TYPES: dict[str, Check] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}
_SAYS_NOTHING = {"title", "description", "default"}


def surely(schema: Any) -> Check:  # noqa: ANN401 - a schema is a mapping or a boolean
    """A check of data against a schema.

    Args:
        schema: A schema of draft 7.

    Returns:
        What says whether data surely keeps to the schema: if not, it may do so all the same.
    """
    if schema is True:
        return lambda _: True
    if not isinstance(schema, dict) or schema.keys() - _CHECKS.keys() - _SAYS_NOTHING:
        return lambda _: False
    words = schema.keys() - _SAYS_NOTHING
    if "properties" in words:
        words -= {"additionalProperties"}
    checks = [_CHECKS[word](schema) for word in words]
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


def _type(schema: dict[str, Any]) -> Check:
    return _TYPES.get(str(schema["type"]), lambda _: False)


def _const(schema: dict[str, Any]) -> Check:
    return _enum({"enum": [schema["const"]]})


def _enum(schema: dict[str, Any]) -> Check:
    # of text alone: 1 and true are equal in Python, and not in JSON
    strings = {one for one in schema["enum"] if isinstance(one, str)}
    return lambda value: isinstance(value, str) and value in strings


def _pattern(schema: dict[str, Any]) -> Check:
    pattern = re.compile(schema["pattern"])
    return lambda value: not isinstance(value, str) or pattern.search(value) is not None


def _any_of(schema: dict[str, Any]) -> Check:
    checks = [surely(one) for one in schema["anyOf"]]
    return lambda value: any(check(value) for check in checks)


def _items(schema: dict[str, Any]) -> Check:
    check = surely(schema["items"])
    return lambda value: not isinstance(value, list) or all(check(one) for one in value)


def _names(schema: dict[str, Any]) -> Check:
    check = surely(schema["propertyNames"])
    return lambda value: not isinstance(value, dict) or all(check(name) for name in value)


def _required(schema: dict[str, Any]) -> Check:
    names = schema["required"]
    return lambda value: not isinstance(value, dict) or all(name in value for name in names)


def _properties(schema: dict[str, Any]) -> Check:
    known = {name: surely(one) for name, one in schema.get("properties", {}).items()}
    other = surely(schema.get("additionalProperties", True))

    def check(value: Any) -> bool:  # noqa: ANN401 - whatever is in the data
        if not isinstance(value, dict):
            return True
        return all(known.get(name, other)(one) for name, one in value.items())

    return check


_CHECKS: dict[str, Callable[[dict[str, Any]], Check]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "anyOf": _any_of,
    "items": _items,
    "propertyNames": _names,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _properties,
}
