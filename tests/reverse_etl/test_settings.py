from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reverse_etl.destinations.mixpanel import MembershipOptions
from reverse_etl.settings import Guards, read_syncs
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from .world import World

ROOT = Path(__file__).parents[2]


def test_a_sync_is_read_with_its_defaults(world: World) -> None:
    world.declare_members(
        filter={"metric": ["clicked"]},
        audiences=["buyers"],
        guards={"expected_rows": [1, 9], "max_change_share": 0.5, "max_age_hours": 26},
        settings={"property": "lists", "attempts": 2},
    )
    (sync,) = read_syncs(world.manifest)
    assert sync.filter == {"metric": ("clicked",), "audience": ("buyers",)}
    assert sync.guards == Guards((1, 9), 0.5, 26)
    assert sync.options == MembershipOptions(property="lists")
    assert sync.delivery.attempts == 2
    assert sync.owner == "Retention"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"identity": None}, "identity is missing; allowed: customer_id, email, cio_id, person_id"),
        ({"identity": "phone"}, "identity is 'phone'; allowed: customer_id"),
        ({"destination": "mixpannel"}, "destination is 'mixpannel'; allowed: .*mixpanel, "),
        ({"object": "people"}, "object is 'people'; allowed: message_events, audience_members"),
        ({"mode": "append"}, "mode is 'append'; allowed: mirror, upsert"),
        ({"use": "spam"}, "use is 'spam'; allowed: activate, suppress, analyse"),
        ({"model": "a b"}, "model must be the name of an outbound model"),
        ({"model": None}, "model must be the name of an outbound model"),
        ({"colour": "red"}, "unknown key 'colour'; allowed: destination, object"),
        ({"guards": {"size": 1}}, "guards: unknown key 'size'; allowed: expected_rows"),
        ({"guards": {"expected_rows": [9, 1]}}, r"guards.expected_rows must be \[least, most\]"),
        ({"guards": {"expected_rows": 5}}, "two whole numbers"),
        ({"guards": {"max_age_hours": "1"}}, "guards.max_age_hours must be a number"),
        ({"guards": {"feeds": "webhooks"}}, "guards.feeds must be a list"),
        ({"guards": [1]}, "guards must be a mapping"),
        ({"settings": {"proprety": "x"}}, "settings: unknown key 'proprety'; allowed: property"),
        ({"settings": {"property": 1}}, "property must be of type str, not int"),
        ({"settings": {"attempts": "2"}}, "attempts must be of type int, not str"),
        ({"settings": [1]}, "settings must be a mapping"),
        ({"filter": {"metric": "clicked"}}, "filter must be columns with a list of values"),
        ({"audiences": []}, "audiences must be a list of names"),
        ({"use": "activate", "topic": "News"}, "topic must be one as preferences name it"),
        ({"use": "activate", "topic": 1}, "topic must be one as preferences name it"),
        ({"use": "analyse", "topic": "topic_1"}, "use is analyse"),
    ],
)
def test_a_wrong_sync_is_named_with_its_key_and_what_is_allowed(
    world: World, config: dict[str, Any], message: str
) -> None:
    world.declare_members(**config)
    with pytest.raises(UsageError, match=message) as error:
        read_syncs(world.manifest)
    assert "sync members (syncs/members.yml)" in str(error.value)


def test_a_sync_may_leave_the_key_to_the_company(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    world.declare_members(identity="default")
    assert [sync.identity for sync in read_syncs(world.manifest)] == ["customer_id"]
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text('[reverse_etl.identity]\nkey = "email"\n')
    assert [sync.identity for sync in read_syncs(world.manifest)] == ["email"]
    monkeypatch.setenv("REVERSE_ETL__IDENTITY__KEY", "phone")
    with pytest.raises(UsageError, match=r"REVERSE_ETL__IDENTITY__KEY.*'phone'; allowed: customer"):
        read_syncs(world.manifest)


def test_a_name_that_could_leave_the_home_is_refused(world: World) -> None:
    world.declare_members(name="../members")
    with pytest.raises(UsageError, match="small letters"):
        read_syncs(world.manifest)


def test_a_sync_must_be_a_mapping(world: World) -> None:
    world.declare_members()
    text = world.manifest.read_text()
    start = text.index('{"destination"')
    world.manifest.write_text(text[:start] + '"x"' + text[text.index("}}}", start) + 1 :])
    with pytest.raises(UsageError, match=r"config\.meta\.sync must be a mapping"):
        read_syncs(world.manifest)


def test_without_a_manifest_the_way_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dbt parse"):
        read_syncs(tmp_path / "manifest.json")


SHIPPED = [
    f"{vendor}_{name}"
    for vendor in ("amplitude", "mixpanel", "segment")
    for name in ("message_events", "audience_members")
]

# what each integration advises to begin with: the more a vendor bills by the event, the less
FORWARDED = {
    "amplitude": ("clicked", "unsubscribed"),
    "mixpanel": ("delivered", "clicked", "unsubscribed"),
    "segment": ("delivered", "clicked", "unsubscribed"),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_syncs_are_valid(world: World, name: str) -> None:
    (exposure,) = yaml.safe_load((ROOT / "syncs" / f"{name}.yml").read_text())["exposures"]
    world.declare(exposure["name"], **exposure["config"]["meta"]["sync"])
    (sync,) = read_syncs(world.manifest)
    assert sync.name == name
    assert (sync.use, sync.identity) == ("analyse", "customer_id")
    assert exposure["depends_on"] == [f"ref('{sync.model}')"]
    assert exposure["owner"]["name"]
    if sync.mode == "append":
        assert sync.filter["metric"] == FORWARDED[sync.destination]
