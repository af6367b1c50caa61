"""A message of counts: what it shows, what it refuses to tell, and that it is told once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fakes import slack as fake
from reverse_etl.contract import Change, Later, NoOptions, Refused, Stop, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.slack import SLACK, SlackSettings
from reverse_etl.destinations.slack_table import draw_table
from reverse_etl.http import Http
from reverse_etl.run import run_syncs
from warehouse.errors import UsageError

from ..stand_ins import configure, running  # noqa: TID252 - of the folder above
from ..world import NOW, World, md5  # noqa: TID252 - the world of the folder above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from reverse_etl.contract import Channel
    from reverse_etl.run import Room

TITLE = "Week of 2026-01-05"
ROWS = [
    {"channel": "email", "delivered": 12345, "click_rate": 0.031, "revenue": 7.5},
    {"channel": "sms", "delivered": 40, "click_rate_before": None},
]


def change(title: object = TITLE, rows: object = ROWS, **values: object) -> Change:
    payload = json.dumps({"title": title, "rows": rows})
    good = Change(0, "append", "week:1", None, "week:1", "", None, payload, md5(payload))
    return good._replace(**values)


@pytest.fixture
def vendor() -> Iterator[httpx.Client]:
    with running(fake.create_app()) as client:
        yield client


def settings(client: httpx.Client, path: str = fake.PATH) -> SlackSettings:
    return SlackSettings(Secret(str(client.base_url).rstrip("/") + path))


def send(client: httpx.Client, *, path: str = fake.PATH, record: bytes | None = None) -> object:
    made = settings(client, path)
    with Http(made.url) as http:
        channel: Channel = SLACK.objects["numbers"].open(made, NoOptions(), http)
        record = channel.encode(change()) if record is None else record
        return channel.send(channel.route(change()), [record])


def encode(row: Change) -> dict[str, Any]:
    made = SlackSettings(Secret("http://127.0.0.1:9/services/x"))
    channel: Channel = SLACK.objects["numbers"].open(made, NoOptions(), Http(made.url))
    return json.loads(channel.encode(row))


def test_a_message_has_a_title_and_a_table(vendor: httpx.Client) -> None:
    assert send(vendor) == Taken()
    (message,) = vendor.get("/_fake/messages").json()
    header, section = message["blocks"]
    assert (message["text"], header["text"]["text"]) == (TITLE, TITLE)
    assert section["text"]["text"] == (
        "```channel  delivered  click  revenue  click before\n"
        "email       12,345  3.10%     7.50\n"
        "sms             40```"
    )


def test_what_slack_reads_as_its_own_is_written_as_text() -> None:
    message = encode(change("A & B", [{"name": "<!channel> & <b>"}]))
    assert message["text"] == "A &amp; B"
    assert "&lt;!channel&gt; &amp; &lt;b&gt;" in message["blocks"][1]["text"]["text"]


def test_a_table_too_long_says_how_much_is_left_out(vendor: httpx.Client) -> None:
    rows = [{"campaign": f"<{number:060d}>", "clicks": number} for number in range(100)]
    message = encode(change("x" * 200, rows))
    table = message["blocks"][1]["text"]["text"]
    assert len(table) <= 3_000
    shown = table.count("&lt;")
    assert table.endswith(f"and {100 - shown} more```")
    assert send(vendor, record=json.dumps(message).encode()) == Taken()


def test_a_table_of_nothing_but_its_names_is_cut() -> None:
    assert draw_table([{"n": True}], most=100) == "n\nTrue"
    assert draw_table([{"a_name_too_long": 1}], most=6) == "a name"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (change(""), "no title"),
        (change(7), "no title"),
        (change(rows=[]), "no rows"),
        (change(rows=[7]), "no rows"),
        (change(rows={}), "no rows"),
        (change(person_id="p1"), "about a person"),
        (change(rows=[{"Email": "x"}]), "about a person"),
        (change(rows=[{"customer_id": 7}]), "about a person"),
        (change(rows=[{"who": "ask ann@example.com"}]), "an e-mail address"),
        (change("About ann@example.com"), "an e-mail address"),
    ],
)
def test_nobody_is_told_of_in_a_channel(row: Change, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        encode(row)
    assert "ann@" not in str(refused.value)


def test_a_refusal_says_slacks_word_and_a_reply_that_is_none_may_have_been_taken(
    vendor: httpx.Client,
) -> None:
    assert send(vendor, record=b"{}") == Unnamed("refused: no_text")
    assert send(vendor, record=b'{"blocks":[7]}') == Unnamed("refused: invalid_blocks")
    assert send(vendor, record=b"[") == Unnamed("refused: invalid_payload")
    assert send(vendor, path="/services/other") == Stop("answered 404")
    for status, body in ((200, "<html>"), (400, "<html> someone@example.com")):
        script = [{"kind": "status", "status": status, "body": body}]
        vendor.post("/_fake/script", json=script)
        reply = send(vendor)
        assert isinstance(reply, Later)
        assert reply.is_maybe_accepted
        assert "example" not in reply.reason
    assert vendor.get("/_fake/messages").json() == []


def test_the_check_posts_nothing(vendor: httpx.Client) -> None:
    for path, is_ok in ((fake.PATH, True), ("/services/other", False)):
        made = settings(vendor, path)
        with Http(made.url) as http:
            check = SLACK.check(made, http)
        assert check.is_ok is is_ok
        assert path not in check.message
    assert vendor.get("/_fake/messages").json() == []


def test_the_webhook_is_a_secret_and_its_host_is_not() -> None:
    made = SlackSettings(Secret("https://hooks.slack.com/services/T/B/secret"))
    assert (made.url, made.path) == ("https://hooks.slack.com", "/services/T/B/secret")
    assert "secret" not in repr(made)
    assert SlackSettings().missing("numbers") == ("webhook_url",)
    with pytest.raises(UsageError, match="https") as refused:
        SlackSettings(Secret("http://hooks.slack.com/services/T/B/secret"))
    assert "services" not in str(refused.value)


def test_a_week_is_told_once_and_an_old_one_never(
    world: World, room: Callable[..., Room], vendor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, "slack", fake.settings(str(vendor.base_url).rstrip("/")))
    world.declare(
        "weekly",
        destination="slack",
        object="numbers",
        model="outbound_weekly",
        use="analyse",
        mode="append",
        identity="record_key",
        settings={"oldest_hours": 240},
    )
    payload = json.dumps({"title": TITLE, "rows": ROWS})
    weeks = [
        {"record_key": f"week:{days}", "label": "", "payload": payload, "fingerprint": md5(payload)}
        | {"occurred_at": NOW - timedelta(days=days)}
        for days in (1, 30)
    ]
    world.build(weekly=weeks)
    (run,) = run_syncs(room())
    assert (run.state, run.accepted) == ("done", 1)
    # numbers that came late change nothing of what was told
    changed = json.dumps({"title": TITLE, "rows": ROWS[:1]})
    world.build(weekly=[{**week, "payload": changed, "fingerprint": "f"} for week in weeks])
    (again,) = run_syncs(room())
    assert (again.state, again.accepted) == ("done", 0)
    assert len(vendor.get("/_fake/messages").json()) == 1

    world.build(weekly=[weeks[0] | {"customer_id": "c1"}])
    (refused,) = run_syncs(room())
    assert refused.state == "failed"
    assert "names people by customer_id" in str(refused.error)
    assert len(vendor.get("/_fake/messages").json()) == 1
