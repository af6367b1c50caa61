"""What settings and options of every destination are held to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Missing: TypeAlias = Callable[[Any, str], tuple[str, ...]]


def needs(*always: str, **by_object: tuple[str, ...]) -> Missing:
    """The method `missing` of settings: which names have no value, of those that are needed.

    Args:
        always: Names without which nothing can be sent.
        by_object: Names that an object needs beside them.
    """

    def missing(settings: object, object_name: str) -> tuple[str, ...]:
        names = (*always, *by_object.get(object_name, ()))
        return absent(**{name: getattr(settings, name) for name in names})

    return missing


def absent(**needed: object) -> tuple[str, ...]:
    """The names of the settings that have no value."""
    return tuple(name for name, value in needed.items() if not value)


def require_one_of(destination: str, name: str, value: str, allowed: Collection[str]) -> None:
    """Hold a setting to the values there are.

    Raises:
        UsageError: It has another.
    """
    if value not in allowed:
        message = f"{destination}: {name} is {value!r}; allowed: {', '.join(allowed)}"
        raise UsageError(message)


def require_number(destination: str, name: str, value: str, hint: str) -> None:
    """Hold an account's id to digits, where it is given.

    Raises:
        UsageError: It has something else in it; `hint` says how it is had.
    """
    if value and not value.isdecimal():
        message = f"{destination}: {name} is not a number; {hint}"
        raise UsageError(message)
