"""Loads put who opts out on the stop list, ahead of the next build."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from warehouse.stop_list import digest, stop_list_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home


def stopped(home: Home) -> set[str]:
    path = stop_list_path(home)
    entries = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    assert all((each["kind"], each["by"]) == ("opt_out", "load") for each in entries)
    return {each["identifier"] for each in entries}


def test_people_who_unsubscribed_are_stopped_and_others_are_not(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "customer_id,email,is_unsubscribed\n"
        "c1, Ann@Example.com ,true\nc2,b@example.com,false\nc3,c@example.com,\n"
    )
    load(home, "people", [str(path)])
    assert stopped(home) == {digest("c1"), digest("ann@example.com")}


@pytest.mark.parametrize("metric", ["unsubscribed", "spammed", "suppressed"])
def test_webhooks_of_opt_outs_stop(
    home: Home, tmp_path: Path, event: Callable[..., bytes], metric: str
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        event("1") + event("2", metric=metric, data={"identifiers": {"id": "9", "cio_id": "k"}})
    )
    load(home, "webhooks", [str(path)])
    assert stopped(home) == {digest("9"), digest("k")}


def test_topics_and_channels_that_are_left_stop_whatever_feed_tells(
    home: Home, tmp_path: Path, event: Callable[..., bytes]
) -> None:
    def changed(number: str, content: object) -> bytes:
        data = {"identifiers": {"id": f"w{number}"}, "content": content}
        return event(number, metric="cio_subscription_preferences_changed", data=data)

    webhooks = tmp_path / "events.jsonl"
    webhooks.write_bytes(
        changed("1", '{"topics":{"topic_1":false,"topic_2":true}}')
        + changed("2", '{"channels":{"email":false},"topics":{"topic_1":true}}')
        + changed("3", '{"topics":{"topic_1":true}}')
        + changed("4", "not JSON")
        + changed("5", None)
        + event("6", data={"identifiers": {"id": "w6"}, "content": '{"topics":{"topic_1":false}}'})
    )
    load(home, "webhooks", [str(webhooks)])
    people = tmp_path / "people.csv"
    people.write_text(
        "customer_id,cio_subscription_preferences\n"
        'p1,"{""topics"":{""topic_2"":""false"",""topic_1"":false}}"\np2,\np3,{}\n'
    )
    load(home, "people", [str(people)])
    lines = [json.loads(line) for line in stop_list_path(home).read_text().splitlines()]
    assert {(line["identifier"], tuple(line.get("topics", ()))) for line in lines} == {
        (digest("w1"), ("topic_1",)),
        (digest("w2"), ()),
        (digest("p1"), ("topic_1", "topic_2")),
    }


def test_opt_outs_of_mparticle_stop(home: Home, tmp_path: Path) -> None:
    def batch(mpid: str, *, is_opted_out: bool) -> str:
        data = {"is_opted_out": is_opted_out, "timestamp_unixtime_ms": 1_700_000_000_000}
        return json.dumps(
            {
                "mpid": mpid,
                "user_identities": {"customerid": f"c{mpid}"},
                "events": [{"event_type": "opt_out", "data": data}],
            }
        )

    path = tmp_path / "batches.jsonl"
    path.write_text(batch("1", is_opted_out=True) + "\n" + batch("2", is_opted_out=False) + "\n")
    load(home, "mparticle", [str(path)])
    assert stopped(home) == {digest("c1")}
