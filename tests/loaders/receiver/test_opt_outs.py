"""Opt-outs are on the stop list as soon as they are acknowledged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from loaders.receiver.opt_outs import stop_opted_out
from warehouse.stop_list import digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loaders.receiver.intake import Policy
    from tests.loaders.receiver.conftest import Running

    Run = Callable[..., "Running"]


def unsubscribed(**fields: object) -> bytes:
    data = {"identifiers": {"id": "C-1", "email": "A@example.com", "cio_id": "03"}}
    return json.dumps({"event_id": "e", "metric": "unsubscribed", "data": data} | fields).encode()


def changed(content: object) -> bytes:
    data = {"identifiers": {"id": "C-1", "email": "A@example.com", "cio_id": "03"}}
    return unsubscribed(
        metric="cio_subscription_preferences_changed", data=data | {"content": content}
    )


def listed(path: Path) -> list[tuple[str, str, str]]:
    lines = path.read_text().splitlines() if path.exists() else []
    entries = [json.loads(line) for line in lines]
    return [(each["kind"], each["identifier"], each["by"]) for each in entries]


def test_an_unsubscribe_is_on_the_stop_list_when_it_is_acknowledged(
    run: Run, policy: Callable[..., Policy], folder: Path
) -> None:
    path = folder.parent / "stop_list.ndjson"
    with run(policy()) as receiver:
        assert receiver.post(unsubscribed(metric="sent")).status_code == 200
        assert listed(path) == []
        assert receiver.post(unsubscribed()).status_code == 200
        expected = [("opt_out", digest(each), "receive") for each in ("03", "c-1", "a@example.com")]
        assert listed(path) == expected
    assert b"example.com" not in path.read_bytes()


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (unsubscribed(data={"customer_id": 7}), 1),
        (unsubscribed(metric="suppressed", data={"identifiers": {"email": "x@y.z"}}), 1),
        (unsubscribed(metric="spammed"), 3),
        (unsubscribed(metric="clicked", data={"subject": "unsubscribed"}), 0),
        (unsubscribed(data=None), 0),
        (unsubscribed(data={"identifiers": []}), 0),
        (b'{"metric":"unsubscribed"', 0),
        (changed('{"topics":{"topic_1":false}}'), 3),
        (changed('{"topics":{"topic_1":true},"channels":{"sms":true}}'), 0),
        (changed('{"topics":{"topic_1":false},"channels":{"sms":false}}'), 6),
        (changed({"channels": {"sms": False}}), 3),
        (changed("[]"), 0),
        (changed(None), 0),
        (b'["unsubscribed"]', 0),
    ],
)
def test_whatever_comes_is_read_or_left_to_the_load(
    tmp_path: Path, body: bytes, count: int
) -> None:
    assert stop_opted_out(tmp_path / "list", body) == count
    assert len(listed(tmp_path / "list")) == count
