"""Syncs as the manifest declares them: dbt exposures whose `config.meta.sync` says the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import orjson

from reverse_etl.contract import Mode, Use
from reverse_etl.delivery import Delivery
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.identity import DEFAULT, read_identity
from reverse_etl.options import read_options
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from reverse_etl.contract import Object

IDENTITIES = ("customer_id", "email", "cio_id", "person_id", "profile_key")
_KEYS = (
    *("destination", "object", "model", "use", "mode", "identity", "refresh", "topic"),
    *("audiences", "filter", "canary", "guards", "settings"),
)
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")
_TOPIC = re.compile(r"topic_[0-9]+")
_NUMBERS = ("max_change_share", "max_age_hours", "min_identified_share")
_BAND = 2


@dataclass(frozen=True)
class Guards:
    """What a run must keep to before it sends anything.

    Attributes:
        expected_rows: Least and most rows of the audience, or of one run's events.
        max_change_share: Largest share of what the destination has that one run may change.
        max_age_hours: Oldest build to send from, in hours.
        feeds: Feeds that must be whole until `max_age_hours` ago.
        min_identified_share: Smallest share of the rows that must name somebody at the destination.
    """

    expected_rows: tuple[int, int] | None = None
    max_change_share: float | None = None
    max_age_hours: float | None = None
    feeds: tuple[str, ...] = ()
    min_identified_share: float | None = None


@dataclass(frozen=True)
class Sync:
    """One sync's configuration.

    Attributes:
        name: The exposure's name.
        destination: The destination's name in the registry.
        object: What of the destination's it sends.
        model: The outbound model its rows come from.
        use: What it is for, which decides what is dangerous.
        mode: How the destination is kept.
        identity: The outbound column that names a person there.
        refresh: How often it should run, in words.
        topic: The topic of the subscription center that people must want, or nothing.
        filter: Columns of the model and the values let through.
        canary: The people that the first run carries, alone, by any of their ids; none if empty.
        guards: What a run must keep to.
        options: The object's options, of the type that the object declares.
        delivery: How it is delivered: patience, rate, connections.
        owner: Who owns it.
        path: The file it is declared in.
    """

    name: str
    destination: str
    object: str
    model: str
    use: Use
    mode: Mode
    identity: str
    refresh: str | None = None
    topic: str | None = None
    filter: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    canary: tuple[str, ...] = ()
    guards: Guards = field(default_factory=Guards)
    options: Any = None
    delivery: Delivery = field(default_factory=Delivery)
    owner: str | None = None
    path: str | None = None


def read_syncs(manifest: Path, *, select: Sequence[str] = ()) -> list[Sync]:
    """The syncs that dbt's manifest knows, by name.

    Args:
        manifest: `target/manifest.json`.
        select: Names to take; all if empty.

    Returns:
        The syncs, in the order of their names.

    Raises:
        UsageError: There is no manifest, a name is unknown, or a sync is not configured right; the
            message names the sync, the key and what is allowed.
    """
    try:
        exposures = orjson.loads(manifest.read_bytes())["exposures"]
    except (OSError, orjson.JSONDecodeError, KeyError) as error:
        message = f"cannot read the manifest {manifest}: run `dbt parse` (or `cio build`) first"
        raise UsageError(message) from error
    declared = {
        exposure["name"]: exposure for exposure in exposures.values() if _meta(exposure) is not None
    }
    if unknown := sorted(set(select) - set(declared)):
        known = ", ".join(sorted(declared)) or "none"
        message = f"no sync is called {', '.join(unknown)}; known: {known}"
        raise UsageError(message)
    syncs = [_sync(declared[name]) for name in sorted(select or declared)]
    for sync in syncs:
        if sync.mode == "replace":
            for name, exposure in declared.items():
                _check_alone(sync, name, _meta(exposure))
    return syncs


def _check_alone(sync: Sync, name: str, other: object) -> None:
    """See that no other sync keeps the lists that one replaces: its people would be gone."""
    if name == sync.name or not isinstance(other, dict):
        return
    if (other.get("destination"), other.get("model")) != (sync.destination, sync.model):
        return
    own = set(sync.filter.get("audience", ()))
    columns = other.get("filter")
    named = other.get("audiences") or (columns.get("audience") if isinstance(columns, dict) else ())
    theirs = set(map(str, named)) if isinstance(named, list) else set()
    if own and theirs and not own & theirs:
        return
    message = (
        f"sync {sync.name} ({sync.path}): mode replace takes whoever it did not send out of its "
        f"lists, and {name} keeps lists of the same audiences at {sync.destination}. Give each its "
        "own audiences, or let both mirror."
    )
    raise UsageError(message)


def _meta(exposure: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any YAML
    meta = (exposure.get("config") or {}).get("meta") or {}
    return meta.get("sync")


def _sync(exposure: Mapping[str, Any]) -> Sync:
    name, meta = exposure["name"], _meta(exposure)
    where = f"sync {name} ({exposure.get('original_file_path', 'syncs')})"
    if not _NAME.fullmatch(name):
        message = f"{where}: a name has small letters, digits and underscores only"
        raise UsageError(message)
    if not isinstance(meta, dict):
        message = f"{where}: config.meta.sync must be a mapping with the keys {', '.join(_KEYS)}"
        raise UsageError(message)
    _known(meta, _KEYS, where)
    destination = DESTINATIONS[_one_of(meta, "destination", tuple(DESTINATIONS), where)]
    kind = destination.objects[_one_of(meta, "object", tuple(destination.objects), where)]
    given = meta.get("settings") or {}
    if not isinstance(given, dict):
        message = f"{where}: settings must be a mapping"
        raise UsageError(message)
    delivery = {key: given[key] for key in given if key in Delivery.__dataclass_fields__}
    options = {key: given[key] for key in given if key not in delivery}
    return Sync(
        name=name,
        destination=destination.name,
        object=meta["object"],
        model=_text(meta, "model", where),
        use=_one_of(meta, "use", get_args(Use), where),
        mode=_one_of(meta, "mode", tuple(sorted(kind.modes)), where),
        identity=_identity(meta, kind, where),
        refresh=meta.get("refresh"),
        topic=_topic(meta, where),
        filter=_filter(meta, where),
        canary=_canary(meta, where),
        guards=_guards(meta.get("guards") or {}, where),
        options=read_options(kind.options, options, where=f"{where}: settings"),
        delivery=read_options(Delivery, delivery, where=f"{where}: settings"),
        owner=(exposure.get("owner") or {}).get("name"),
        path=exposure.get("original_file_path"),
    )


def _identity(meta: Mapping[str, Any], kind: Object, where: str) -> str:
    named = str(_one_of(meta, "identity", _identities(kind), where))
    return read_identity() if named == DEFAULT else named


def _identities(kind: Object) -> tuple[str, ...]:
    """The columns that may name people: where hashes are asked for, nothing plain."""
    if not kind.is_about_people:
        return ("record_key",)
    return (*IDENTITIES, DEFAULT) if kind.match_keys is None else (kind.match_keys.column,)


def _known(given: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    if unknown := [key for key in given if key not in allowed]:
        message = f"{where}: unknown key {unknown[0]!r}; allowed: {', '.join(allowed)}"
        raise UsageError(message)


def _one_of(meta: Mapping[str, Any], key: str, allowed: Sequence[str], where: str) -> Any:  # noqa: ANN401 - one of a Literal's values, which the caller names
    value = meta.get(key)
    if value is None:
        message = f"{where}: {key} is missing; allowed: {', '.join(allowed)}"
        raise UsageError(message)
    if value not in allowed:
        message = f"{where}: {key} is {value!r}; allowed: {', '.join(allowed)}"
        raise UsageError(message)
    return value


def _text(meta: Mapping[str, Any], key: str, where: str) -> str:
    value = meta.get(key)
    if not isinstance(value, str) or not value.isidentifier():
        message = f"{where}: {key} must be the name of an outbound model"
        raise UsageError(message)
    return value


def _topic(meta: Mapping[str, Any], where: str) -> str | None:
    topic = meta.get("topic")
    if topic is None:
        return None
    if not isinstance(topic, str) or _TOPIC.fullmatch(topic) is None:
        message = f"{where}: topic must be one as preferences name it, such as topic_1"
        raise UsageError(message)
    if meta["use"] != "activate":
        message = (
            f"{where}: topic keeps people out of a sync that activates them, and use is "
            f"{meta['use']}"
        )
        raise UsageError(message)
    return topic


def _filter(meta: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    given = meta.get("filter") or {}
    if not isinstance(given, dict) or not all(
        isinstance(column, str) and column.isidentifier() and isinstance(values, list) and values
        for column, values in given.items()
    ):
        message = f"{where}: filter must be columns with a list of values each"
        raise UsageError(message)
    lists = dict(given)
    audiences = meta.get("audiences")
    if audiences is not None:
        if not isinstance(audiences, list) or not audiences or "audience" in lists:
            message = f"{where}: audiences must be a list of names, and filter.audience not given"
            raise UsageError(message)
        lists["audience"] = audiences
    return {column: tuple(str(value) for value in values) for column, values in lists.items()}


def _canary(meta: Mapping[str, Any], where: str) -> tuple[str, ...]:
    given = meta.get("canary")
    if given is None:
        return ()
    is_list = isinstance(given, list) and all(isinstance(name, str | int) for name in given)
    if not is_list or not given:
        message = (
            f"{where}: canary must be a list of people, each by a person_id, customer_id, cio_id "
            "or email of theirs"
        )
        raise UsageError(message)
    return tuple(str(name) for name in given)


def _guards(given: object, where: str) -> Guards:
    if not isinstance(given, dict):
        message = f"{where}: guards must be a mapping"
        raise UsageError(message)
    allowed = tuple(Guards.__dataclass_fields__)
    _known(given, allowed, f"{where}: guards")
    band = given.get("expected_rows")
    if band is not None and not _is_band(band):
        message = f"{where}: guards.expected_rows must be [least, most], two whole numbers"
        raise UsageError(message)
    numbers = {key: given.get(key) for key in _NUMBERS}
    for key, value in numbers.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and (not is_number or value < 0):
            message = f"{where}: guards.{key} must be a number, 0 or more"
            raise UsageError(message)
    if (numbers["min_identified_share"] or 0) > 1:
        message = f"{where}: guards.min_identified_share is a share: 0.8 is 80 %"
        raise UsageError(message)
    feeds = given.get("feeds") or []
    if not isinstance(feeds, list):
        message = f"{where}: guards.feeds must be a list of feeds"
        raise UsageError(message)
    return Guards(tuple(band) if band else None, feeds=tuple(map(str, feeds)), **numbers)


def _is_band(band: object) -> bool:
    return (
        isinstance(band, list)
        and len(band) == _BAND
        and all(type(end) is int and end >= 0 for end in band)
        and band[0] <= band[1]
    )
