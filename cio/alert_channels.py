"""Where alerts are told: Slack, and a signed webhook."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import httpx
import orjson

from reverse_etl.http import is_loopback
from warehouse.errors import CioError, UsageError
from warehouse.secrets import Secret, read_section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cio.alerts import Alert

TIMEOUT_SECONDS = 10.0
# https://docs.slack.dev/reference/block-kit/blocks/section-block/: 3,000 characters of a text, and
# 50 blocks of a message
SLACK_CHARACTERS = 2_900
SLACK_BLOCKS = 45


class NotTold(CioError):  # noqa: N818 - says what the caller meets
    """A channel did not take the alerts; they are told again with the next run."""


@dataclass(frozen=True)
class SlackSettings:
    """`[alerts.slack]` of `secrets.toml`.

    Attributes:
        url: An incoming webhook of Slack's; whoever has it can post.
    """

    url: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True)
class WebhookSettings:
    """`[alerts.webhook]` of `secrets.toml`.

    Attributes:
        url: Where alerts are posted, as JSON.
        secret: What the posts are signed with; unsigned without it.
    """

    url: Secret = field(default_factory=lambda: Secret(""))
    secret: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True)
class News:
    """What there is to tell.

    Attributes:
        raised: Alerts that a channel was not told of.
        resolved: Alerts it was told of, that are open no more: id and title.
        at: When, naive UTC.
    """

    raised: Sequence[Alert]
    resolved: Mapping[str, str]
    at: datetime


class Channel(Protocol):
    """Where alerts are told."""

    @property
    def name(self) -> str:
        """What it is called in the record of notices."""

    def tell(self, news: News) -> None:
        """Tell them, in one message.

        Raises:
            NotTold: It was not taken.
        """


@dataclass(frozen=True)
class Slack:
    """Posts to an incoming webhook of Slack's.

    https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/: a JSON body with
    `text`, and `blocks` where the message has a form; `&`, `<` and `>` are escaped.
    """

    settings: SlackSettings
    name: str = "slack"

    def tell(self, news: News) -> None:
        """Tell them, in one message."""
        texts = [_slack_text(one) for one in news.raised]
        texts += [
            f":white_check_mark: *resolved* {_escape(text)}" for text in news.resolved.values()
        ]
        shown, rest = texts[:SLACK_BLOCKS], len(texts) - SLACK_BLOCKS
        if rest > 0:
            shown.append(f"and {rest} more: `cio alerts list` shows all")
        body = {
            "text": f"{len(news.raised)} new alerts, {len(news.resolved)} resolved",
            "blocks": [
                {"type": "section", "text": {"type": "mrkdwn", "text": text[:SLACK_CHARACTERS]}}
                for text in shown
            ],
        }
        _post(self.name, self.settings.url, orjson.dumps(body), {})


@dataclass(frozen=True)
class Webhook:
    """Posts JSON, signed where there is a secret.

    `X-Cio-Signature` is the hexadecimal HMAC-SHA256 of `<X-Cio-Timestamp>.<body>`; the timestamp is
    in seconds since the epoch, so that a receiver can refuse what is old.
    """

    settings: WebhookSettings
    name: str = "webhook"

    def tell(self, news: News) -> None:
        """Tell them, in one message."""
        body = orjson.dumps(
            {
                "at": news.at.isoformat(timespec="seconds") + "Z",
                "raised": [one.to_json() for one in news.raised],
                "resolved": [
                    {"alert_id": key, "title": title} for key, title in news.resolved.items()
                ],
            }
        )
        _post(self.name, self.settings.url, body, sign(body, self.settings.secret, news.at))


def sign(body: bytes, secret: Secret, at: datetime) -> dict[str, str]:
    """The headers of a signed body; none without a secret.

    Args:
        body: What is posted.
        secret: What it is signed with.
        at: When, naive UTC.
    """
    if not secret:
        return {}
    stamp = str(int(at.replace(tzinfo=UTC).timestamp()))
    digest = hmac.new(secret.reveal().encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return {"X-Cio-Timestamp": stamp, "X-Cio-Signature": digest.hexdigest()}


def configured_channels() -> list[Channel]:
    """The channels whose addresses are set.

    Raises:
        UsageError: A settings file cannot be read, or an address is none.
    """
    slack = read_section(SlackSettings, "alerts", "slack")
    webhook = read_section(WebhookSettings, "alerts", "webhook")
    found: list[Channel] = []
    if slack.url:
        check_url(slack.url, "slack")
        found.append(Slack(slack))
    if webhook.url:
        check_url(webhook.url, "webhook")
        found.append(Webhook(webhook))
    return found


def check_url(url: Secret, name: str) -> None:
    """See that alerts may go to an address: nobody on the way reads them.

    Args:
        url: The address.
        name: The channel, as `[alerts.<name>]` has it.

    Raises:
        UsageError: They may not.
    """
    scheme = urlsplit(url.reveal()).scheme
    if scheme != "https" and not (scheme == "http" and is_loopback(url.reveal())):
        message = f"url of [alerts.{name}] is no address that alerts may go to: write https://…"
        raise UsageError(message)


def _post(name: str, url: Secret, body: bytes, headers: Mapping[str, str]) -> None:
    try:
        reply = httpx.post(
            url.reveal(),
            content=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=TIMEOUT_SECONDS,
            # a proxy from the environment has no business between us and this machine
            trust_env=not is_loopback(url.reveal()),
        )
    except httpx.HTTPError as error:
        message = (
            f"{name} could not be reached ({type(error).__name__}); the next run tells it again. "
            f"See url of [alerts.{name}]."
        )
        raise NotTold(message) from error
    if not reply.is_success:
        message = (
            f"{name} answered {reply.status_code}; the next run tells it again. "
            f"See url of [alerts.{name}]."
        )
        raise NotTold(message)


def _slack_text(alert: Alert) -> str:
    mark = {"high": ":red_circle:", "medium": ":large_orange_circle:"}.get(
        alert.severity, ":white_circle:"
    )
    since = "" if alert.since is None else f", since {alert.since:%Y-%m-%d %H:%M} UTC"
    parts = (
        f"{mark} *{_escape(title(alert))}* ({alert.severity}, {_escape(alert.owner)}{since})",
        _escape(alert.detail),
        f"_{_escape(alert.what_to_do)}_",
    )
    return "\n".join(parts)


def title(alert: Alert) -> str:
    """An alert in a few words."""
    return f"{alert.name.replace('_', ' ')}: {alert.subject}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
