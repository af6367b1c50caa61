"""What a set-up is told: by options, by what is set already, and by whoever is asked."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import typer

from cio.init_addresses import take_addresses
from loaders.customerio import api
from loaders.customerio.api_settings import HOSTS
from loaders.registry import FEEDS
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.identity import KEYS
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

WITHOUT_PATHS = ("webhooks", api.FEED)
"""Feeds that need no place: what the receiver took, and the App API."""

ALL_FEEDS = (*WITHOUT_PATHS, *(name for name in FEEDS if name not in WITHOUT_PATHS))


@dataclass(frozen=True)
class Answers:
    """What is to be set up.

    Attributes:
        region: Where the Customer.io workspace lies, `us` or `eu`.
        feeds: Paths by feed; none for those that need none.
        identity: The column by which the company's tools know people.
        destinations: The region by destination; empty for those that have none.
        target: The dbt target that `cio run` builds and sends from.
        addresses: Where a run's news go, by section of `secrets.toml`; those that an option gave.
        asked: Which of `region`, `identity` and `target`, and which destinations' regions, somebody
            asked for: these may not be passed over for what is set already.
    """

    region: str = "us"
    feeds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    identity: str = KEYS[0]
    destinations: Mapping[str, str] = field(default_factory=dict)
    target: str = "prod"
    addresses: Mapping[str, str] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Options:
    """The options of the command, as they were written."""

    region: str | None = None
    feeds: Sequence[str] = ()
    identity: str | None = None
    destinations: Sequence[str] = ()
    target: str | None = None
    addresses: Mapping[str, str | None] = field(default_factory=dict)


def known_answers(config: Mapping[str, Any], secrets: Mapping[str, Any]) -> Answers:
    """What the settings files say already.

    Args:
        config: `config.toml`.
        secrets: `secrets.toml`.
    """
    feeds = _table(config, "run", "load")
    named = {**_table(config, "reverse_etl"), **_table(secrets, "reverse_etl")}
    told = Answers()
    return Answers(
        region=str(_table(config, "loaders", "customerio").get("region") or told.region),
        feeds=dict.fromkeys(feeds, ()),
        identity=str(_table(config, "reverse_etl", "identity").get("key") or told.identity),
        destinations={
            name: str(_table(config, "reverse_etl", name).get("region", ""))
            for name in DESTINATIONS
            if name in named
        },
        target=str(_table(config, "run").get("target") or told.target),
    )


def read_toml(path: Path) -> dict[str, Any]:
    """A settings file, which was checked before; empty if there is none."""
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def take(options: Options, known: Answers) -> Answers:
    """What the options say, over what is known.

    Raises:
        UsageError: A value is not one of those allowed; the message names it and them.
    """
    told = {
        name: value
        for name in ("region", "identity", "target")
        if (value := getattr(options, name)) is not None
    }
    if "region" in told:
        _one_of(told["region"], HOSTS, "--region")
    if "identity" in told:
        _one_of(told["identity"], KEYS, "--identity")
    region = told.get("region", known.region)
    asked = {one.partition("=")[0].strip() for one in options.destinations if "=" in one}
    return replace(
        known,
        **told,
        feeds=_feeds(options.feeds, known.feeds),
        destinations=_destinations(options.destinations, known.destinations, region),
        addresses=take_addresses(options.addresses) or known.addresses,
        asked=frozenset(told) | asked,
    )


def ask(answers: Answers, known: Answers, *, is_new: bool) -> Answers:
    """Ask for what options did not say.

    Args:
        answers: What is known, options included.
        known: What the files say.
        is_new: Nothing was set up before, so that what is known is a guess.
    """
    told = answers.asked
    region = answers.region
    if "region" not in told and is_new:
        region = _choose("Region of the Customer.io workspace", region, HOSTS)
    feeds = dict(answers.feeds)
    if feeds == known.feeds:
        shown = ", ".join(ALL_FEEDS)
        names = _list(f"Feeds to load, of {shown}\n", feeds or WITHOUT_PATHS, ALL_FEEDS)
        feeds |= {name: _paths(name) for name in names if name not in feeds}
    identity = answers.identity
    if "identity" not in told and is_new:
        identity = _choose("Key by which your tools know people", identity, KEYS)
    destinations = dict(answers.destinations)
    if destinations == known.destinations:
        shown = ", ".join(DESTINATIONS)
        names = _list(f"Destinations, of {shown}, or none\n", destinations, DESTINATIONS)
        destinations = _destinations(names, destinations, region)
    return replace(
        answers, region=region, feeds=feeds, identity=identity, destinations=destinations
    )


def _feeds(
    given: Iterable[str], known: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    found = dict(known)
    for one in given:
        name, _, path = (part.strip() for part in one.partition("="))
        _one_of(name, ALL_FEEDS, "--feed")
        is_set = name in known and not found[name]
        if not path and name not in WITHOUT_PATHS and not is_set:
            message = f"--feed {name}: say where it lies, such as --feed '{name}=exports/*.csv'"
            raise UsageError(message)
        found[name] = (*found.get(name, ()), *([path] if path else []))
    return found


def _destinations(given: Iterable[str], known: Mapping[str, str], region: str) -> dict[str, str]:
    found = dict(known)
    for one in given:
        name, _, own = (part.strip() for part in one.partition("="))
        _one_of(name, DESTINATIONS, "--destination")
        if own:
            _check_region(name, own)
        found[name] = own or known.get(name, "") or _usual_region(name, region)
    return found


def _check_region(name: str, region: str) -> None:
    """Let the destination say whether it has such a region."""
    if all(one.name != "region" for one in fields(DESTINATIONS[name].settings)):
        message = (
            f"--destination {name}={region}: {name} has no regions; write --destination {name}"
        )
        raise UsageError(message)
    try:
        DESTINATIONS[name].settings(region=region)
    except UsageError as error:
        message = f"--destination {name}={region}: {error}"
        raise UsageError(message) from error


def _usual_region(name: str, region: str) -> str:
    """The workspace's own region, where the destination has it."""
    try:
        _check_region(name, region)
    except UsageError:
        return ""
    return region


def _one_of(value: str, allowed: Iterable[str], option: str) -> None:
    names = list(allowed)
    if value not in names:
        near = difflib.get_close_matches(value, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(names)}"
        message = f"{option} {value}: there is no such; {hint}"
        raise UsageError(message)


def _table(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    found: Any = document
    for name in names:
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return dict(found) if isinstance(found, dict) else {}


def _choose(question: str, default: str, allowed: Iterable[str]) -> str:
    names = list(allowed)

    def read(text: str) -> str:
        _checked(lambda: _one_of(text.strip(), names, "answer"))
        return text.strip()

    return str(typer.prompt(f"{question} ({', '.join(names)})", default, value_proc=read))


def _list(question: str, default: Iterable[str], allowed: Iterable[str]) -> list[str]:
    names = list(allowed)

    def read(text: str) -> list[str]:
        found = [one.strip() for one in text.split(",") if one.strip()]
        found = [] if found == ["none"] else found
        for one in found:
            _checked(lambda one=one: _one_of(one, names, "answer"))  # type: ignore[misc]
        return found

    usual = ", ".join(default) or "none"
    found: list[str] = typer.prompt(question, usual, value_proc=read)
    return found


def _paths(feed: str) -> tuple[str, ...]:
    if feed in WITHOUT_PATHS:
        return ()
    text = typer.prompt(f"Where {feed} lie: files, folders, patterns or URLs, with commas")
    return tuple(one.strip() for one in str(text).split(",") if one.strip())


def _checked(check: Callable[[], None]) -> None:
    """What a user is told is wrong is told at the prompt, which asks again."""
    try:
        check()
    except UsageError as error:
        raise typer.BadParameter(str(error)) from error
