"""Models over loads of the App API: names through time, and who is in a segment now.

Who is in a segment by the API is so in Mixpanel too, until the API says otherwise.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import customerio_app, mixpanel
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.server import serve_in_thread
from loaders.customerio.api import load_api
from loaders.customerio.api_pace import Timing
from reverse_etl.credentials import variable
from reverse_etl.run import Room, run_syncs
from tests.conftest import ROOT
from tests.models.models_in_process import Models, parse
from warehouse.connection import open_warehouse
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

AS_OF = datetime(2026, 9, 1, tzinfo=UTC)
PREFIX = "dev_as_of_20260901t000000_"
SELECTED = [
    *(
        "--select",
        "+outbound_segment_members",
        "+int_campaign_names",
        "stg_customerio__api_messages",
    ),
    # the tests of the rows, not those of invented ones
    *("--exclude-resource-type", "unit_test"),
]
FIRST = datetime(2026, 8, 1)  # noqa: DTZ001 - naive UTC, as every instant


def person(number: int) -> dict[str, Any]:
    return {"cio_id": f"c{number}", "id": f"u{number}", "email": f"u{number}@example.com"}


@dataclass
class Days:
    """A load a day from a workspace that changes in between."""

    home: Home
    models: Models
    workspace: Workspace
    analytics: httpx.Client
    day: int = 0
    ticks: Iterator[int] = field(default_factory=itertools.count)

    def load(self) -> None:
        today = FIRST + timedelta(days=self.day)
        self.day += 1
        timing = Timing(now=lambda: today + timedelta(microseconds=next(self.ticks)))
        load_api(self.home, resources=["campaigns", "membership", "messages"], timing=timing)

    def build(self) -> None:
        self.models.run(self.home, "build", [*SELECTED])
        with open_warehouse(self.home, purpose="call it a whole build") as connection:
            connection.execute("update raw_dbt.builds set is_whole = true")

    def push(self) -> dict[str, list[str]]:
        """Sync to Mixpanel; says who has which segments there."""
        self.models.write_manifest(self.home)
        manifest = self.home.root / "target" / "manifest.json"
        (run,) = run_syncs(Room(self.home, manifest, select=["mixpanel_segment_members"]))
        assert (run.state, run.rejected, run.unknown) == ("done", 0, 0)
        profiles = self.analytics.get("/_fake/profiles").json()
        return {person: sorted(profile["cio_segments"]) for person, profile in profiles.items()}

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with open_warehouse(self.home, purpose="look") as connection:
            return connection.execute(sql.replace("@", PREFIX)).fetchall()

    def members(self) -> list[tuple[object, ...]]:
        return self.rows(
            """
            select mirrored.segment_id, mirrored.segment_name, people.canonical_key
            from @marts.mirrored_segments as mirrored
            inner join @intermediate.int_profile_people as people
                on mirrored.person_id = people.person_id
                and people.profile_key = people.canonical_key
            order by all
            """
        )


@pytest.fixture
def days(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Days]:
    folder = tmp_path_factory.mktemp("app_api")
    home = Home(folder / "home")
    home.make()
    models = parse(
        home, ROOT / "fakes" / "company", folder / "target", {"as_of": AS_OF.isoformat()}
    )
    workspace = Workspace(
        campaigns=[{"id": 7, "name": "Welcome", "tags": ["a"], "created": 1_767_225_600}],
        segments=[{"id": 1, "name": "VIP"}, {"id": 2, "name": "New"}],
        members={"1": [person(1), person(2)], "2": [person(2)]},
        messages=[
            {
                "id": "d1",
                "deduplicate_id": "d1:1767225700",
                "created": int((FIRST - timedelta(days=1)).replace(tzinfo=UTC).timestamp()),
                "type": "twilio",
                "customer_identifiers": person(1),
                "metrics": {"sent": 1_767_225_700},
            }
        ],
    )
    with (
        serve_in_thread(customerio_app.create_app(workspace)) as url,
        serve_in_thread(mixpanel.create_app()) as mixpanel_url,
        httpx.Client(base_url=mixpanel_url, trust_env=False) as analytics,
    ):
        for key, value in mixpanel.settings(mixpanel_url).items():
            monkeypatch.setenv(variable("mixpanel", key), value)
        monkeypatch.setenv("DLT_PROJECT_DIR", str(folder))
        monkeypatch.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", APP_API_KEY)
        monkeypatch.setenv("LOADERS__CUSTOMERIO__BASE_URL", f"{url}/v1")
        yield Days(home, models, workspace, analytics)


def test_names_have_a_history_and_segments_have_only_who_is_in_them_now(days: Days) -> None:
    world = days.workspace
    days.load()
    days.build()
    assert days.members() == [
        ("1", "VIP", "cio:c1"),
        ("1", "VIP", "cio:c2"),
        ("2", "New", "cio:c2"),
    ]
    assert days.push() == {
        "u1": ["CIO | VIP | snapshot"],
        "u2": ["CIO | New | snapshot", "CIO | VIP | snapshot"],
    }

    # day two: a campaign and a segment are renamed, u1 leaves, u3 enters, segment 2 is empty
    world.campaigns[0] = {**world.campaigns[0], "name": "Hello"}
    world.segments[0] = {**world.segments[0], "name": "Best"}
    world.members = {"1": [person(2), person(3)]}
    world.messages[0] = {
        **world.messages[0],
        "deduplicate_id": "d1:1767225800",
        "metrics": {"sent": 1_767_225_700, "clicked": 1_767_225_800},
    }
    days.load()
    days.build()
    assert days.members() == [("1", "Best", "cio:c2"), ("1", "Best", "cio:c3")]
    # u1 left, u3 entered, and the renamed segment took u2 along
    assert days.push() == {
        "u1": [],
        "u2": ["CIO | Best | snapshot"],
        "u3": ["CIO | Best | snapshot"],
    }

    # day three: another setting of the campaign changes, and segment 1 is archived
    world.campaigns[0] = {**world.campaigns[0], "state": "stopped"}
    world.segments = [{"id": 2, "name": "New"}]
    days.load()
    days.build()
    assert days.members() == []
    assert days.push() == {"u1": [], "u2": [], "u3": []}

    # the state changed on the third day, the name on the second
    assert days.rows(
        "select name, cast(valid_from as date)::text, cast(valid_to as date)::text "
        "from @intermediate.int_campaign_names order by valid_from"
    ) == [("Welcome", "2026-01-01", "2026-08-02"), ("Hello", "2026-08-02", None)]
    versions = days.rows(
        "select delivery_id, object_type, profile_key, changed_at "
        "from @staging.stg_customerio__api_messages order by changed_at"
    )
    assert [version[:3] for version in versions] == [("d1", "sms", "cio:c1")] * 2
    assert versions[1][3] - versions[0][3] == timedelta(seconds=100)
