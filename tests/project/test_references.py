"""The references say what is there; `python -m cio.reference` writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cio.audience_reference import audiences_page, exclusions, goes_by
from cio.audiences import Audience, read_audiences
from cio.reference import FOLDER, commands_page, questions, tables_page
from tests.conftest import ROOT
from warehouse.definitions import LOCK, read_lock

if TYPE_CHECKING:
    from tests.project.conftest import Manifest

_OLD = "run `python -m cio.reference`, look at the difference, and commit it"


def test_tables_are_those_of_the_project(manifest: Manifest) -> None:
    assert (ROOT / FOLDER / "tables.md").read_text(encoding="utf-8") == tables_page(manifest), _OLD


def test_every_mart_says_which_questions_it_answers(manifest: Manifest) -> None:
    marts = [
        node
        for node in manifest["nodes"].values()
        if node["original_file_path"].startswith("models/marts/")
        and node["resource_type"] == "model"
    ]
    assert marts
    for mart in marts:
        asked = questions(mart)
        assert asked, mart["name"]
        assert all(one.text.endswith("?") for one in asked), mart["name"]
        assert all(re.search(rf"\b{mart['name']}\b", one.sql) for one in asked), mart["name"]


def test_audiences_are_those_of_the_project(manifest: Manifest) -> None:
    page = audiences_page(manifest, read_lock(ROOT / LOCK))
    assert (ROOT / FOLDER / "audiences.md").read_text(encoding="utf-8") == page, _OLD


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        (
            "clicked_cart_no_order_3d",
            ("who ordered since", "who opted out of email or of everything"),
        ),
        (
            "received_sms_no_click_7d",
            ("human clicks", "recent buyers", "who opted out of sms or of everything"),
        ),
        ("purchased_3d", ()),
    ],
)
def test_whom_an_audience_leaves_out_is_read_from_its_sql(
    manifest: Manifest, name: str, left_out: tuple[str, ...]
) -> None:
    (audience,) = (one for one in read_audiences(manifest) if one.name == name)
    assert exclusions(audience) == left_out


def test_every_activated_audience_is_shown_to_leave_out_who_opted_out(
    manifest: Manifest,
) -> None:
    activated = [one for one in read_audiences(manifest) if one.is_activated]
    assert activated
    for one in activated:
        assert any("opted out" in words for words in exclusions(one)), one.name


def test_what_an_audience_goes_by_is_read_from_its_sql() -> None:
    sql = """
        -- channel = 'push'
        where channel in (
            'email', 'sms'
        ) and message_class = 'cart' and is_promotional and channel_name = 'x'
    """
    audience = Audience("one_7d", "one_7d.yml", {}, sql)
    assert goes_by(audience) == (
        "channel in ( 'email', 'sms' )",
        "message_class = 'cart'",
        "is_promotional",
    )


def test_commands_are_those_of_the_program() -> None:
    assert (ROOT / FOLDER / "commands.md").read_text(encoding="utf-8") == commands_page(), _OLD


def test_every_option_has_words() -> None:
    bare = [line for line in commands_page().splitlines() if line.endswith("` |  |")]
    assert bare == []
