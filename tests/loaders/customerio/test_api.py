"""Loads from the stand-in of the App API, over HTTP on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.loaders.customerio.conftest import Api

    Select = Callable[[str], list[tuple[object, ...]]]


def test_everything_lands_once(api: Api, select: Select) -> None:
    report = api.load()
    landed = {name: count.landed for name, count in report.tables.items()}
    assert landed == {
        "api_campaigns": 2,
        "api_campaign_actions": 3,
        "api_broadcasts": 1,
        "api_newsletters": 1,
        "api_newsletter_contents": 2,
        "api_newsletter_test_groups": 1,
        "api_transactional": 1,
        "api_topics": 1,
        "api_segments": 2,
        "api_segment_membership": 5,
        "api_segment_observations": 2,
        "api_messages": 59,
        "api_merges": 1,
        "api_people": 230,
    }
    assert {
        name: select(f"select count(*) from raw_customerio.{name}")[0][0] for name in landed
    } == landed
