"""Slack: numbers to a channel, one message a row; never a person.

A row's payload has a `title` and `rows`, a list of flat objects that is shown as a table. Slack
keeps no key of a message, so one that may have arrived is not sent again. What is open and needs
somebody is told by `cio alerts send`; this is for numbers that are only to be known.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/
https://docs.slack.dev/reference/block-kit/blocks/section-block/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
from httpx import codes

from reverse_etl.contract import (
    Check,
    Destination,
    Limits,
    NoOptions,
    Object,
    Refused,
    Stop,
    Taken,
    Unnamed,
)
from reverse_etl.credentials import NO_SECRET, Secret
from reverse_etl.destinations.payloads import read_payload, read_rows
from reverse_etl.destinations.posted import Posted
from reverse_etl.destinations.replies import UNREADABLE, failed
from reverse_etl.destinations.settings_rules import needs
from reverse_etl.destinations.slack_table import draw_table
from reverse_etl.http import Answer, is_loopback
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

# "1 per second" a webhook
LIMITS = Limits(1, 100_000, 100_000, requests_per_second=1.0)
MOST_TITLE = 150
MOST_TEXT = 3_000
PERSONAL = frozenset(
    {
        *("person_id", "customer_id", "cio_id", "profile_key", "email", "phone", "device_id"),
        *("first_name", "last_name", "recipient", "ip_address"),
    }
)
"""Names of columns that tell who somebody is."""

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_WORD = re.compile(r"[a-z_]+")


@dataclass(frozen=True)
class SlackSettings:
    """`[reverse_etl.slack]`: an incoming webhook, which is an address and a secret in one.

    Attributes:
        webhook_url: `https://hooks.slack.com/services/…`; whoever has it can post.
    """

    webhook_url: Secret = NO_SECRET

    missing = needs("webhook_url")

    def __post_init__(self) -> None:
        """Refuse an address that anybody on the way could read."""
        address = self.webhook_url.reveal()
        if address and urlsplit(address).scheme != "https" and not is_loopback(address):
            message = "slack: webhook_url does not begin with https://"
            raise UsageError(message)

    @property
    def url(self) -> str:
        """The host of the webhook; what follows is the secret."""
        parts = urlsplit(self.webhook_url.reveal())
        return f"{parts.scheme or 'https'}://{parts.netloc or 'hooks.slack.com'}"

    @property
    def path(self) -> str:
        """The part that is secret."""
        return urlsplit(self.webhook_url.reveal()).path

    @property
    def account(self) -> str:
        """The webhook stands for a channel of a workspace."""
        return self.webhook_url.reveal()


def _write(change: Change) -> bytes:
    """A message: its title, and its rows as a table."""
    title = read_payload(change).get("title")
    if not isinstance(title, str) or not title.strip():
        message = "the payload has no title"
        raise Refused(message)
    rows = read_rows(change)
    names = {str(name).lower() for row in rows for name in row}
    if change.person_id is not None or names & PERSONAL:
        message = "a row about a person: nobody is told of in a channel"
        raise Refused(message)
    texts = [title, *(text for row in rows for text in row.values() if isinstance(text, str))]
    if any(_ADDRESS.search(text) for text in texts):
        message = "an e-mail address: nobody is told of in a channel"
        raise Refused(message)
    table = _escape(draw_table(rows, most=MOST_TEXT - 300))
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:MOST_TITLE]}},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"```{table}```"[:MOST_TEXT]}},
    ]
    return orjson.dumps({"text": _escape(title), "blocks": blocks})


def _escape(text: str) -> str:
    """A text without the three characters that Slack reads as its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _post(http: Http, path: str, content: bytes, _count: int) -> Reply:
    """Make one attempt, and read the reply: `ok`, or a word that says what is wrong."""
    answer = http.post(path, content=content, headers={"Content-Type": "application/json"})
    if not isinstance(answer, Answer):
        return answer
    said = answer.body.decode("utf-8", "replace").strip()
    if answer.status == codes.OK and said == "ok":
        return Taken()
    if answer.status >= codes.BAD_REQUEST and _WORD.fullmatch(said):
        return Unnamed(f"refused: {said}")
    return UNREADABLE


def _open(settings: SlackSettings, _options: NoOptions, http: Http) -> Posted:
    return Posted(settings.path, LIMITS, _write, partial(_post, http))


def check(settings: SlackSettings, http: Http) -> Check:
    """Post a message without a text: the refusal shows that the webhook is there, and no more."""
    match _post(http, settings.path, b"{}", 1):
        case Unnamed():
            return Check(is_ok=True, message="answers, and takes the webhook")
        case Stop(reason=reason):
            return Check(is_ok=False, message=f"{reason}: make a new incoming webhook")
        case reply:
            return failed(reply, "does not answer as Slack does")


SLACK = Destination(
    name="slack",
    documentation="https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/",
    settings=SlackSettings,
    objects={
        "numbers": Object(
            frozenset(["append"]), NoOptions, _open, is_repeatable=False, is_about_people=False
        ),
    },
    check=check,
)
