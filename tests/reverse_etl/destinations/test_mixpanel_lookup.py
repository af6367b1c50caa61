"""A lookup table is one row, replaced as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fakes import mixpanel
from reverse_etl.contract import Change, Denied, Later, Refused, Stop, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.mixpanel import MIXPANEL
from reverse_etl.destinations.mixpanel_lookup import LookupOptions, LookupTable, _read
from reverse_etl.destinations.mixpanel_settings import MixpanelSettings
from reverse_etl.http import Answer, Http
from reverse_etl.run import plan_syncs, run_syncs

from ..stand_ins import configure, running  # noqa: TID252 - of the folder above
from ..world import World, md5  # noqa: TID252 - the world of the folder above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from reverse_etl.run import Room

ROWS = [
    {"campaign_id": "11", "campaign_name": 'Say "hi", 東京'},
    {"campaign_id": "7", "channel": "sms", "campaign_name": "Cart"},
]


def change(rows: object = ROWS, **values: object) -> Change:
    payload = json.dumps({"rows": rows})
    good = Change(0, "add", "campaigns", None, "campaigns", "", None, payload, md5(payload))
    return good._replace(**values)


@pytest.fixture
def vendor() -> Iterator[httpx.Client]:
    with running(mixpanel.create_app()) as client:
        yield client


def table(url: str, key: str = "campaign_id", **values: Any) -> LookupTable:  # noqa: ANN401 - settings of any type
    given = mixpanel.settings(url)
    secrets = {name: Secret(given[name]) for name in ("project_token", "service_account_secret")}
    settings = MixpanelSettings(**(given | secrets | values))
    return LookupTable.open(settings, LookupOptions(key), Http(url))


def test_the_table_is_csv_with_its_key_first_and_holes_where_nothing_is_known() -> None:
    assert table("http://127.0.0.1:9").encode(change()).decode() == (
        'campaign_id,campaign_name,channel\n11,"Say ""hi"", 東京",\n7,Cart,sms\n'
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (change([]), "no rows"),
        (change({}), "no rows"),
        (change([7]), "no rows"),
        (change([{"campaign_name": "x"}]), "without campaign_id"),
        (change([{"campaign_id": ""}]), "without campaign_id"),
        (change([{"campaign_id": 7}, {"campaign_id": "7"}]), "two with one"),
        (change(person_id="p"), "about a person"),
    ],
)
def test_what_is_no_table_is_not_sent(row: Change, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        table("http://127.0.0.1:9").encode(row)


def test_a_table_is_replaced_as_a_whole_or_stays_as_it_was(vendor: httpx.Client) -> None:
    lookup = table(str(vendor.base_url))
    route = lookup.route(change())
    assert lookup.send(route, [lookup.encode(change())]) == Taken()
    assert vendor.get("/_fake/lookup_table").json()[1] == {
        "campaign_id": "7",
        "campaign_name": "Cart",
        "channel": "sms",
    }
    assert lookup.send(route, [lookup.encode(change(ROWS[1:]))]) == Taken()
    assert len(vendor.get("/_fake/lookup_table").json()) == 1
    reply = lookup.send(route, [b"campaign_id,name\n7,a\n7,b\n"])
    assert reply == Unnamed("the table was refused, 1 of its rows by name")
    assert len(vendor.get("/_fake/lookup_table").json()) == 1


def test_wrong_credentials_and_a_table_that_is_not_there_stop_the_sync(
    vendor: httpx.Client,
) -> None:
    url = str(vendor.base_url)
    body = [table(url).encode(change())]
    wrong = table(url, service_account_secret=Secret("wrong"))
    assert wrong.send(wrong.route(change()), body) == Denied(401)
    nobody = table(url, service_account_username="", service_account_secret=Secret(""))
    assert nobody.send(nobody.route(change()), body) == Denied(403)
    elsewhere = table(url, lookup_table_id="other")
    assert elsewhere.send(elsewhere.route(change()), body) == Stop("answered 404")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b'{"code":200,"status":"OK"}', 200, Taken),
        (b"{}", 200, Later),
        (b"[]", 200, Later),
        (b"<html>", 400, Later),
        (b'{"error":"no"}', 400, Unnamed),
    ],
)
def test_replies(body: bytes, status: int, kind: type) -> None:
    assert isinstance(_read(Answer(status, {}, body)), kind)


def test_a_table_needs_a_service_account_and_an_id() -> None:
    assert MixpanelSettings(project_token=Secret("t")).missing("campaign_lookup") == (
        "project_id",
        "service_account_username",
        "service_account_secret",
        "lookup_table_id",
    )


@pytest.mark.slow
def test_a_run_replaces_the_table_when_a_word_of_it_changes(
    world: World, room: Callable[..., Room], vendor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, "mixpanel", mixpanel.settings(str(vendor.base_url).rstrip("/")))
    world.declare(
        "lookup",
        destination="mixpanel",
        object="campaign_lookup",
        model="outbound_lookup",
        use="analyse",
        mode="upsert",
        identity="record_key",
    )
    assert MIXPANEL.objects["campaign_lookup"].is_about_people is False
    for rows in (ROWS, [{**ROWS[1], "campaign_name": "Basket"}]):
        payload = json.dumps({"rows": rows})
        row = {"record_key": "campaigns", "label": "", "payload": payload}
        world.build(lookup=[row | {"fingerprint": md5(payload)}])
        (run,) = run_syncs(room())
        assert (run.state, run.accepted, run.rejected) == ("done", 1, 0)
        assert [plan.changes for plan in plan_syncs(room())] == [0]
    assert vendor.get("/_fake/lookup_table").json() == [
        {"campaign_id": "7", "channel": "sms", "campaign_name": "Basket"}
    ]
