"""What the operations of Mixpanel's `/engage` do to profiles.

Source: https://docs.mixpanel.com/reference/profile-batch-update
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def apply(profiles: dict[str, dict[str, Any]], record: dict[str, Any]) -> None:
    """Apply an update that passed to the profiles, by distinct_id."""
    operation = next(key for key in record if key in _APPLY or key == "$delete")
    if operation == "$delete":
        profiles.pop(record["$distinct_id"], None)
        return
    profile = profiles.setdefault(record["$distinct_id"], {})
    _APPLY[operation](profile, record[operation])


def _add(profile: dict[str, Any], values: dict[str, float]) -> None:
    for name, value in values.items():
        profile[name] = profile.get(name, 0) + value


def _union(profile: dict[str, Any], values: dict[str, list[Any]]) -> None:
    for name, items in values.items():
        held = profile.setdefault(name, [])
        held.extend(item for item in items if item not in held)


def _append(profile: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        profile.setdefault(name, []).append(value)


def _remove(profile: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(profile.get(name), list):
            profile[name] = [item for item in profile[name] if item != value]


def _unset(profile: dict[str, Any], names: list[str]) -> None:
    for name in names:
        profile.pop(name, None)


_APPLY: dict[str, Callable[[dict[str, Any], Any], None]] = {
    "$set": lambda profile, values: profile.update(values),
    "$set_once": lambda profile, values: profile.update(values | profile),
    "$add": _add,
    "$union": _union,
    "$append": _append,
    "$remove": _remove,
    "$unset": _unset,
}
