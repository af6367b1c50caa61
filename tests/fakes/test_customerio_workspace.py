"""Made workspaces hold what they were made from, under the ids that webhooks name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.customerio_app import APP_API_KEY
from fakes.customerio_workspace import Identifiers, create_app, make_workspace
from fakes.server import serve_in_thread
from fakes.world.catalogue import MESSAGES, Message
from loaders.customerio.api import load_api

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from warehouse.home import Home


def test_messages_become_what_they_belong_to() -> None:
    ana = Identifiers(cio_id="c1", id="ana", email=None)
    workspace = make_workspace(
        [
            Message("hello_1", "email", "hello", "Hi", campaign_id=7, action_id=70),
            Message("hello_2", "sms", "hello", campaign_id=7, action_id=71, parent_action_id=5),
            Message("day", "push", "news", broadcast_id=8, action_id=80),
            Message("week_a", "email", "news", newsletter_id=9, content_id=90),
            Message("week_b", "email", "news", newsletter_id=9, content_id=91),
            Message("receipt", "email", "transactional", transactional_message_id=2),
        ],
        people=[ana],
        segments={"All": [ana], "None": []},
    )
    assert [(each["id"], each["name"]) for each in workspace.campaigns] == [(7, "hello_1")]
    assert [action["id"] for action in workspace.campaign_actions["7"]] == ["70", "71"]
    assert workspace.campaign_actions["7"][1]["parent_action_id"] == 5
    assert [action["id"] for action in workspace.broadcast_actions["8"]] == ["80"]
    assert workspace.newsletters[0]["content_ids"] == [90, 91]
    assert [content["name"] for content in workspace.contents["9"]] == ["week_a", "week_b"]
    assert workspace.transactional[0]["id"] == 2
    assert workspace.members == {"1": [ana], "2": []}
    assert [each["identifiers"] for each in workspace.people] == [ana]


def test_the_catalogue_can_be_loaded(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_in_thread(create_app()) as url:
        monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
        monkeypatch.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", APP_API_KEY)
        monkeypatch.setenv("LOADERS__CUSTOMERIO__BASE_URL", f"{url}/v1")
        report = load_api(home, resources=["transactional", "membership"])
    wanted = {message.transactional_message_id for message in MESSAGES} - {None}
    assert report.tables["api_transactional"].landed == len(wanted)
    assert report.tables["api_segment_membership"].landed == 2
    assert report.tables["api_segment_observations"].landed == 2
