"""Configuration values checked against the dataclass that declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from warehouse.errors import UsageError

T = TypeVar("T")


def read_options(declared: type[T], given: Mapping[str, Any], *, where: str) -> T:
    """Make a dataclass from a mapping, refusing what it does not declare.

    Args:
        declared: A dataclass whose fields are strings, numbers, booleans, or mappings of text to
            text.
        given: The values.
        where: What is being read, for messages: `sync x: settings`.

    Returns:
        The dataclass.

    Raises:
        UsageError: A key is unknown or missing, or a value has the wrong type.
    """
    hints = get_type_hints(declared)
    known = {field.name: field for field in fields(declared)}  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            allowed = ", ".join(known) or "none"
            message = f"{where}: unknown key {key!r}; allowed: {allowed}"
            raise UsageError(message)
    values = {}
    for name, field in known.items():
        if name in given:
            values[name] = _value(given[name], hints[name], f"{where}: {name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            message = f"{where}: {name} is missing"
            raise UsageError(message)
    return declared(**values)


def _value(value: object, hint: Any, where: str) -> object:  # noqa: ANN401 - a type hint
    if get_origin(hint) is Mapping:
        return _texts(value, where)
    allowed = get_args(hint) or (hint,)
    if value is None and type(None) in allowed:
        return None
    for kind in allowed:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(kind, type) and type(value) is kind:
            return value
    names = " or ".join(kind.__name__ for kind in allowed if kind is not type(None))
    message = f"{where} must be of type {names}, not {type(value).__name__}"
    raise UsageError(message)


def _texts(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(
        isinstance(key, str) and isinstance(text, str | int) and not isinstance(text, bool)
        for key, text in value.items()
    ):
        message = f"{where} must be a mapping of names to texts"
        raise UsageError(message)
    # in one order, because a sync's options are told apart by how they print
    return {key: str(value[key]) for key in sorted(value)}
