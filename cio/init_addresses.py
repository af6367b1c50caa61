"""Where a set-up sends a run's news: Slack and a webhook are told of alerts, a monitor of runs.

Such an address is a secret, for whoever has it can post: it stands in `secrets.toml` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cio.alert_channels import check_url
from cio.run_settings import check_monitor
from warehouse.errors import UsageError
from warehouse.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Place:
    """A section of `secrets.toml` that has an address.

    Attributes:
        option: The option that gives it.
        about: What is said of the section.
        check: Refuses what is no address for it.
        key: The key of the address.
    """

    option: str
    about: str
    check: Callable[[Secret], None]
    key: str = "url"


ADDRESSES = {
    "alerts.slack": Place(
        "--slack-alerts",
        "An incoming webhook of Slack's that is told of alerts: https://hooks.slack.com/services/…",
        partial(check_url, name="slack"),
    ),
    "alerts.webhook": Place(
        "--alert-webhook",
        "Your own address that alerts are posted to as JSON; a key `secret` signs the posts.",
        partial(check_url, name="webhook"),
    ),
    "run.heartbeat": Place(
        "--heartbeat",
        "A monitor for cron jobs, called after every run: it misses the run that never starts.",
        check_monitor,
    ),
}
"""By section, in the order in which they are asked for."""


def take_addresses(given: Mapping[str, str | None]) -> dict[str, str]:
    """The addresses that options gave, by section.

    Raises:
        UsageError: One is no address; the message names the option, not what was given.
    """
    told = {section: url.strip() for section, url in given.items() if url is not None}
    for section, url in told.items():
        if not url:
            message = f"{ADDRESSES[section].option}: an address is missing; write https://…"
            raise UsageError(message)
        try:
            check_address(section, url)
        except UsageError as error:
            message = f"{ADDRESSES[section].option}: {error}"
            raise UsageError(message) from error
    return told


def check_address(section: str, url: str) -> None:
    """See that what is written into a section is an address, if it is one that takes them.

    Args:
        section: Any section of `secrets.toml`.
        url: What was given; empty means later.

    Raises:
        UsageError: It is none.
    """
    if url and section in ADDRESSES:
        ADDRESSES[section].check(Secret(url))
