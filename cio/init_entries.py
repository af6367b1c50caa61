"""What a set-up writes: sections and keys of `config.toml`, and empty keys of `secrets.toml`."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_type_hints

from cio.init_addresses import ADDRESSES
from cio.settings_files import Entry
from loaders.customerio import api
from reverse_etl.credentials import SECTION
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.identity import DEFAULT, IDENTITY
from warehouse.secrets import Secret, variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cio.init_answers import Answers
    from reverse_etl.contract import Destination

CUSTOMERIO = "loaders.customerio"
_KEYS_OF_FEEDS = {
    "webhooks": (
        "webhook_signing_key",
        "on the page of the reporting webhook: Integrations > Reporting Webhooks",
    ),
    api.FEED: ("app_api_key", "Settings > Account settings > API credentials > App API keys"),
}


def config_entries(answers: Answers) -> list[Entry]:
    """The sections of `config.toml`."""
    asked = answers.asked
    entries = [
        Entry("run", "target", answers.target, "target" in asked, "What `cio run` does each time."),
        *(_feed(name, paths) for name, paths in answers.feeds.items()),
        Entry(CUSTOMERIO, "region", answers.region, "region" in asked, "us or eu"),
        Entry(
            f"{SECTION}.{IDENTITY}",
            "key",
            answers.identity,
            "identity" in asked,
            f"The key by which your tools know people: syncs with `identity: {DEFAULT}`.",
        ),
    ]
    for name, region in answers.destinations.items():
        if region:
            entries.append(Entry(f"{SECTION}.{name}", "region", region, name in asked))
    return entries


def secret_entries(answers: Answers, filled: Mapping[tuple[str, str], str]) -> list[Entry]:
    """The sections of `secrets.toml`.

    Args:
        answers: What is to be set up.
        filled: What somebody gave, by section and key; the others are empty, to be filled in.
    """
    entries = []
    for section, key, comment in secret_keys(answers):
        told = answers.addresses.get(section, "") if section in ADDRESSES else ""
        given = filled.get((section, key), told)
        entries.append(Entry(section, key, given, bool(given), comment))
    return entries


def secret_keys(answers: Answers) -> Iterator[tuple[str, str, str]]:
    """Section, key and what is said of the section, of every secret that there is use for."""
    kept = [_KEYS_OF_FEEDS[name] for name in answers.feeds if name in _KEYS_OF_FEEDS]
    about = "\n".join(f"{key}: {place}" for key, place in kept)
    yield from ((CUSTOMERIO, key, about) for key, _ in kept)
    for name in answers.destinations:
        destination = DESTINATIONS[name]
        about = f"{_first_line(destination)}\n{destination.documentation}"
        yield from ((f"{SECTION}.{name}", key, about) for key in keys_of(destination))
    for section, place in ADDRESSES.items():
        yield section, place.key, place.about


def keys_of(destination: Destination) -> list[str]:
    """The keys of a destination: its secrets, and what else it cannot do without."""
    empty: Any = destination.settings()
    needed = {key for name in destination.objects for key in empty.missing(name)}
    hints = get_type_hints(destination.settings)
    return [
        one.name
        for one in fields(destination.settings)
        if one.name in needed or hints[one.name] is Secret
    ]


def is_secret(section: str, key: str) -> bool:
    """Whether a key is not to be seen while it is typed."""
    part, name = section.split(".")
    if part != SECTION:
        return True
    return get_type_hints(DESTINATIONS[name].settings)[key] is Secret


def from_environment(section: str, key: str) -> bool:
    """Whether the environment has it, so that no file need."""
    part, name = section.split(".")
    return bool(os.environ.get(variable(part, name, key), "").strip())


def _feed(name: str, paths: tuple[str, ...]) -> Entry:
    section = f"run.load.{name}"
    return Entry(section, "paths", paths, is_asked=True) if paths else Entry(section)


def _first_line(destination: Destination) -> str:
    line = (destination.settings.__doc__ or "").strip().splitlines()[0]
    said = line.partition(": ")[2] or line
    return said[:1].upper() + said[1:]
