"""Alerts are told once when they open and once when they close, to whom they concern."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from cio.alert_channels import Slack, SlackSettings, Webhook, WebhookSettings
from cio.alert_notices import Quiet, notify, read_quiet
from cio.alerts import Alert, open_alerts
from cio.run_log import RunLog
from fakes.server import serve_in_thread
from tests.cio.command import cio
from warehouse.errors import UsageError
from warehouse.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

    from warehouse.home import Home

NOON = datetime(2026, 1, 15, 12)  # noqa: DTZ001 - naive UTC, as every instant here
LOUD = Quiet()


class Inbox:
    """What a stand-in of a chat or a webhook was posted; it answers as it is told to."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.status = 200

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if self.status == 200:
            self.posts.append((dict(request.headers), body))
        return Response("ok", status_code=self.status)

    @property
    def bodies(self) -> list[Any]:
        return [orjson.loads(body) for _, body in self.posts]


@contextmanager
def inbox() -> Iterator[tuple[str, Inbox]]:
    found = Inbox()
    routes = [Route("/hook", found.take, methods=["POST"])]
    with serve_in_thread(Starlette(routes=routes)) as address:
        yield f"{address}/hook", found


def alert(key: str, severity: str = "high") -> Alert:
    return Alert(
        key, "stale_feed", severity, f"feed <{key}>", "data", NOON, "whole until", "Load it."
    )


def test_slack_is_told_once_and_told_when_it_is_over(home: Home) -> None:
    with inbox() as (url, taken):
        slack = [Slack(SlackSettings(Secret(url)))]
        assert notify(home, [alert("a"), alert("b")], slack, LOUD, now=NOON).raised == 2
        assert notify(home, [alert("a"), alert("b")], slack, LOUD, now=NOON).raised == 0
        assert notify(home, [alert("b")], slack, LOUD, now=NOON).resolved == 1
        assert notify(home, [alert("b")], slack, LOUD, now=NOON).resolved == 0
        assert notify(home, [alert("a"), alert("b")], slack, LOUD, now=NOON).raised == 1
    assert [body["text"] for body in taken.bodies] == [
        "2 new alerts, 0 resolved",
        "0 new alerts, 1 resolved",
        "1 new alerts, 0 resolved",
    ]
    told = taken.bodies[0]["blocks"][0]["text"]["text"]
    assert "stale feed: feed &lt;a&gt;" in told
    assert "Load it." in told


def test_a_long_list_keeps_to_what_slack_takes(home: Home) -> None:
    with inbox() as (url, taken):
        many = [alert(str(number)) for number in range(120)]
        notify(home, many, [Slack(SlackSettings(Secret(url)))], LOUD, now=NOON)
    blocks = taken.bodies[0]["blocks"]
    assert len(blocks) == 46
    assert blocks[-1]["text"]["text"].startswith("and 75 more")


def test_a_webhook_is_signed(home: Home) -> None:
    with inbox() as (url, taken):
        hook = Webhook(WebhookSettings(Secret(url), Secret("key")))
        notify(home, [alert("a")], [hook], LOUD, now=NOON)
    headers, body = taken.posts[0]
    signed = f"{headers['x-cio-timestamp']}.".encode() + body
    assert hmac.new(b"key", signed, hashlib.sha256).hexdigest() == headers["x-cio-signature"]
    assert headers["x-cio-timestamp"] == "1768478400"
    assert orjson.loads(body)["raised"][0]["what_to_do"] == "Load it."


def test_a_channel_that_is_down_is_told_later_and_the_other_not_twice(home: Home) -> None:
    with inbox() as (slack_url, slack), inbox() as (hook_url, hook):
        channels = [
            Slack(SlackSettings(Secret(slack_url))),
            Webhook(WebhookSettings(Secret(hook_url))),
        ]
        slack.status = 503
        first = notify(home, [alert("a")], channels, LOUD, now=NOON)
        assert first.raised == 1
        assert "slack answered 503" in first.troubles[0]
        assert slack_url not in first.troubles[0]
        slack.status = 200
        assert notify(home, [alert("a")], channels, LOUD, now=NOON).troubles == ()
    assert (len(slack.posts), len(hook.posts)) == (1, 1)


def test_quiet_hours_keep_what_is_not_severe_until_they_end(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTS__QUIET__HOURS", "22:00-07:00")
    monkeypatch.setenv("ALERTS__QUIET__TIMEZONE", "Europe/Berlin")
    quiet = read_quiet()
    night = NOON + timedelta(hours=10)  # 23:00 in Berlin
    two = [alert("a"), alert("b", "medium")]
    with inbox() as (url, taken):
        slack = [Slack(SlackSettings(Secret(url)))]
        told = notify(home, two, slack, quiet, now=night)
        assert (told.raised, told.waiting) == (1, 1)
        assert notify(home, [two[1]], slack, quiet, now=night).resolved == 0
        morning = notify(home, [two[1]], slack, quiet, now=night + timedelta(hours=8))
        assert (morning.raised, morning.resolved) == (1, 1)
    assert len(taken.posts) == 2


@pytest.mark.parametrize(
    ("instant", "is_quiet"),
    [("20:59:59", False), ("21:00:00", True), ("05:59:59", True), ("06:00:00", False)],
)
def test_quiet_hours_begin_and_end_on_the_second(
    instant: str, *, is_quiet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTS__QUIET__HOURS", "22:00-07:00")
    monkeypatch.setenv("ALERTS__QUIET__TIMEZONE", "Europe/Berlin")
    assert read_quiet().is_quiet(datetime.fromisoformat(f"2026-01-15T{instant}")) == is_quiet


@pytest.mark.parametrize(
    ("key", "value"), [("HOURS", "late"), ("TIMEZONE", "Mars/Base"), ("LOUDEST", "loud")]
)
def test_a_quiet_setting_that_is_none_is_named(
    key: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ALERTS__QUIET__{key}", value)
    with pytest.raises(UsageError, match=r"alerts\.quiet"):
        read_quiet()


def test_what_no_build_can_tell_is_an_alert_too(home: Home) -> None:
    RunLog.of(home).write_last(
        {
            "started_at": "2026-01-15T11:00:00",
            "steps": [
                {"name": "build", "kind": "build", "state": "failed", "said": "a test failed"},
                {"name": "sync", "kind": "sync", "state": "skipped", "said": ""},
            ],
        }
    )
    found = open_alerts(home, now=NOON)
    assert [(one.name, one.severity) for one in found] == [
        ("nothing_published", "high"),
        ("run_step_failed", "high"),
    ]
    assert found[1].detail == "failed: a test failed"


def test_the_command_sends_what_is_open(home: Home, tmp_path: Path) -> None:
    with inbox() as (url, taken):
        environment = {"ALERTS__SLACK__URL": url, "DLT_PROJECT_DIR": str(tmp_path)}
        sent = cio("alerts", "send", "--json", home=home.root, environment=environment)
        again = cio("alerts", "send", "--json", home=home.root, environment=environment)
        listed = cio("alerts", "list", "--json", home=home.root, environment=environment)
    assert (sent.json["raised"], again.json["raised"], len(taken.posts)) == (1, 0, 1)
    assert [one["name"] for one in listed.json["alerts"]] == ["nothing_published"]


def test_an_address_without_encryption_is_refused(home: Home) -> None:
    environment = {"ALERTS__SLACK__URL": "http://hooks.example.com/secret"}
    said = cio("alerts", "send", home=home.root, environment=environment)
    assert said.exit_code == 2
    assert "[alerts.slack]" in said.err
    assert "secret" not in said.err
