"""A control group that Customer.io keeps as an attribute or a segment is compared.

Of every four people the first has the attribute of those held out, and the second is in their
segment; both buy less than the others do. The attribute of half of the people is told by exports,
that of the others by the App API.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from fakes import customerio_app
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.server import serve_in_thread
from loaders.customerio.api import load_api
from loaders.customerio.api_pace import Timing
from loaders.run import load
from reverse_etl.clock import Clock
from reverse_etl.run import Room, plan_syncs
from tests.conftest import ROOT
from tests.models.models_in_process import Models, parse
from warehouse.connection import open_warehouse
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PEOPLE = 1_200
EXPORTED, READ_FROM = 600, 500
"""People before the first are in the exports, from the second on in the App API; some in both."""
AS_OF = datetime(2026, 9, 1, tzinfo=UTC)
PREFIX = "dev_as_of_20260901t000000_"
STARTS_AT = "2026-07-01 00:00:00"
BEFORE, DURING = datetime(2026, 6, 25), datetime(2026, 7, 9, 23, 59, 58)  # noqa: DTZ001 - naive UTC
LOST, CHANGED, MERGED = 8, 12, (16, 17)
SYNC = "customerio_segment_members"
EXPERIMENTS = f"""
by_attribute,,global,{STARTS_AT},,720,conversion_rate,0.25,{SYNC},
by_segment,,warehouse,{STARTS_AT},,720,conversion_rate,0.25,{SYNC},
read_late,,global,{STARTS_AT},,720,conversion_rate,0.25,,
null,,global,{STARTS_AT},,720,conversion_rate,0.2,,
misspelt,,global,{STARTS_AT},,720,conversion_rate,0.25,,
unread,,global,{STARTS_AT},,720,conversion_rate,0.25,,
nobody_else,,global,{STARTS_AT},,720,conversion_rate,0.25,,
lopsided,,global,{STARTS_AT},,720,conversion_rate,0.25,,
due,,campaign,{STARTS_AT},,720,conversion_rate,0.25,,
"""
ARMS = """
by_attribute,none,true,,,,,,holdout=true,,
by_attribute,sent,false,,,,,,holdout = false,,
by_segment,none,true,,,,,,,12,
by_segment,sent,false,,,,,,,13,
read_late,none,true,,,,,,,12,
read_late,sent,false,,,,,,,14,
null,none,true,,,,,,dice.roll=1,,
null,sent,false,,,,,,dice.roll=0,,
misspelt,none,true,,,,,,holdout=True,,
misspelt,sent,false,,,,,,holdout=false,,
unread,none,true,,,,,,,12,
unread,sent,false,,,,,,,99,
nobody_else,none,true,,,,,,holdout=true,,
nobody_else,sent,false,,,,,,,,
lopsided,none,true,,,,,,seen=true,,
lopsided,sent,false,,,,,,seen=false,,
due,none,true,,,,,,holdout=true,,
due,sent,false,,,,,,holdout=false,,
"""


def buys(number: int) -> bool:
    """Whether somebody buys in July: 3 in 20 of those held out one way, 8 in 20 of the others."""
    return number // 4 % 20 < (3 if number % 4 < 2 else 8)


def attributes(number: int) -> dict[str, Any]:
    """What somebody has; a third of those held out were never told to have `seen`."""
    held_out = number % 4 == 0
    seen = {} if held_out and number % 3 == 0 else {"seen": held_out}
    return {"holdout": held_out, "dice.roll": int(number // 80 % 5 == 0), **seen}


def identifiers(number: int) -> dict[str, str]:
    return {"cio_id": f"c{number}", "id": f"u{number}", "email": f"u{number}@example.com"}


def export(folder: Path, kind: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    table = pa.Table.from_pylist([{"workspace_id": 1, **row} for row in rows])
    parquet.write_table(table, folder / f"{kind}_v5_1_{2416 + len(kind)}.parquet")


def exported_attributes() -> list[dict[str, Any]]:
    told = [
        (number, name, str(value).lower(), datetime(2026, 6, 20))  # noqa: DTZ001 - naive UTC
        for number in range(EXPORTED)
        for name, value in attributes(number).items()
    ]
    told += [
        (LOST, "holdout", None, datetime(2026, 7, 5)),  # noqa: DTZ001 - naive UTC
        (CHANGED, "holdout", "false", datetime(2026, 7, 5)),  # noqa: DTZ001 - naive UTC
    ]
    return [
        {
            "internal_customer_id": f"c{number}",
            "attribute_name": name,
            "attribute_value": value,
            "timestamp": at,
        }
        for number, name, value, at in told
    ]


def load_files(home: Home, folder: Path) -> None:
    people = [
        {
            "internal_customer_id": f"c{number}",
            "customer_id": f"u{number}",
            "email_addr": f"u{number}@example.com",
            "created_at": datetime(2026, 1, 1),  # noqa: DTZ001 - naive UTC
            "updated_at": datetime(2026, 1, 1),  # noqa: DTZ001 - naive UTC
        }
        for number in range(PEOPLE)
    ]
    export(folder / "exports", "people", people)
    export(folder / "exports", "attributes", exported_attributes())
    load(home, "exports", [str(folder / "exports")], complete_through=AS_OF)
    orders = [(number, "2026-05-15") for number in range(PEOPLE)]
    orders += [(number, "2026-07-15") for number in range(PEOPLE) if buys(number)]
    lines = [f"{n}-{on},u{n},{on} 12:00:00,20,EUR" for n, on in orders]
    path = folder / "orders.csv"
    path.write_text(
        "\n".join(["order_id,customer_id,ordered_at,total_amount,currency", *lines]) + "\n"
    )
    load(home, "orders", [str(path)], complete_through=AS_OF)
    merges = folder / "merges.csv"
    primary, secondary = MERGED
    merges.write_text(
        f"primary_cio_id,secondary_cio_id,merged_at\nc{primary},c{secondary},2026-07-20 00:00:00\n"
    )
    load(home, "merges", [str(merges)])


def read_api(home: Home, workspace: Workspace, at: datetime) -> None:
    """Read the App API; each answer comes half a second after the one before."""
    ticks = itertools.count()

    def now() -> datetime:
        return datetime.fromtimestamp(at.replace(tzinfo=UTC).timestamp() + next(ticks) / 2, UTC)

    timing = Timing(now=lambda: now().replace(tzinfo=None))
    load_api(home, resources=["membership", "people"], timing=timing)
    members = [number for number in range(PEOPLE) if number % 4 != 1]
    workspace.segments.append({"id": 14, "name": "Not held out, made late"})
    workspace.members["14"] = [identifiers(number) for number in members]


@dataclass(frozen=True)
class Built:
    home: Home
    models: Models

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with open_warehouse(self.home, purpose="look") as connection:
            return connection.execute(sql.replace("@", f"{PREFIX}marts.")).fetchall()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("arms")
    company = folder / "company"
    shutil.copytree(ROOT / "company", company)
    for name, lines in (("experiments", EXPERIMENTS), ("experiment_arms", ARMS)):
        path = company / "seeds" / f"{name}.csv"
        path.write_text(path.read_text().splitlines()[0] + lines)
    home = Home(folder / "home")
    home.make()
    load_files(home, folder)
    workspace = Workspace(
        segments=[{"id": 12, "name": "Held out"}, {"id": 13, "name": "Not held out"}],
        members={
            segment: [identifiers(n) for n in range(PEOPLE) if (n % 4 == 1) == (segment == "12")]
            for segment in ("12", "13")
        },
        people=[
            {"identifiers": identifiers(n), "attributes": attributes(n), "unsubscribed": False}
            for n in range(READ_FROM, PEOPLE)
        ],
    )
    models = parse(home, company, folder / "target", {"as_of": AS_OF.isoformat()})
    server = customerio_app.create_app(workspace, requests_per_second=10_000)
    with pytest.MonkeyPatch.context() as patch, serve_in_thread(server) as url:
        patch.setenv("DLT_PROJECT_DIR", str(folder))
        patch.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", APP_API_KEY)
        patch.setenv("LOADERS__CUSTOMERIO__BASE_URL", f"{url}/v1")
        for at in (BEFORE, DURING):
            read_api(home, workspace, at)
        wanted = ("experiment_results", f"outbound_{SYNC}")
        select = ["--select", *(f"+{name}" for name in wanted)]
        exclude = ["--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"]
        models.run(home, "build", [*select, *exclude])
        yield Built(home, models)


def results(built: Built, experiment: str) -> tuple[Any, ...]:
    (row,) = built.rows(
        "select verdict, effect, control_people, people, reason from @experiment_results "
        f"where experiment_id = '{experiment}' and metric = 'conversion_rate' and is_headline"
    )
    return row


@pytest.mark.parametrize("experiment", ["by_attribute", "by_segment", "read_late"])
def test_a_planted_split_has_the_verdict_that_was_planted(built: Built, experiment: str) -> None:
    """Two people who are one, and who was given the other value, are in neither arm."""
    verdict, effect, control, treated, _ = results(built, experiment)
    mixed_controls = 2 if experiment == "by_attribute" else 1
    assert (verdict, control) == ("helps", PEOPLE // 4 - mixed_controls)
    assert treated == PEOPLE * 3 // 4 - 1
    truth = sum(map(buys, range(2, PEOPLE, 4))) * 2 + sum(map(buys, range(1, PEOPLE, 4)))
    lost = sum(map(buys, range(0, PEOPLE, 4)))
    planted = truth / (PEOPLE * 3 / 4) - lost / (PEOPLE / 4)
    assert effect == pytest.approx(planted, abs=0.002)
    checks = "check_name in ('recognised_arms', 'sample_ratio', 'sample_ratio_daily')"
    where = f"experiment_id = '{experiment}' and {checks}"
    assert built.rows(f"select distinct status from @experiment_health where {where}") == [
        ("pass",)
    ]


def test_a_split_that_nothing_follows_from_has_no_verdict(built: Built) -> None:
    verdict, effect, control, treated, _ = results(built, "null")
    assert verdict not in {"helps", "hurts", "refused"}
    # two people who are one have the same value
    assert (control, treated) == (PEOPLE // 5 - 1, PEOPLE * 4 // 5)
    assert effect == pytest.approx(0, abs=0.003)


def test_everybody_counts_from_one_instant_whichever_segment_was_read_first(built: Built) -> None:
    """One segment was made after the start, and the reading that saw it lay around midnight."""
    indexes = dict(
        built.rows(
            "select experiment_id, list(distinct index_at) from @experiment_people group by all"
        )
    )
    start = datetime.fromisoformat(STARTS_AT)
    assert indexes["by_segment"] == indexes["null"] == [start]
    # who was given the other value at another time counts from the first
    assert indexes["by_attribute"] == [start]
    (late,) = indexes["read_late"]
    assert DURING <= late < datetime(2026, 7, 10)  # noqa: DTZ001 - naive UTC


def test_who_lost_the_value_stays_and_who_was_given_another_is_mixed(built: Built) -> None:
    people = dict(
        built.rows(
            f"""
            select identifiers.profile_key, [is_mixed, is_held_out]
            from @experiment_people as people
            inner join {PREFIX}intermediate.int_profile_people as identifiers
                on people.person_id = identifiers.person_id
            where people.experiment_id = 'by_attribute' and identifiers.profile_key like 'cio:%'
            """
        )
    )
    assert people[f"cio:c{LOST}"] == [False, True]
    assert people[f"cio:c{CHANGED}"] == [True, True]
    assert [people[f"cio:c{number}"] for number in MERGED] == [[True, True]] * 2
    assert sum(is_mixed for is_mixed, _ in people.values()) == 3


@pytest.mark.parametrize(
    ("experiment", "reason"),
    [
        ("misspelt", "no feed ever told of holdout=True, by which arm none is recognised"),
        ("unread", "no feed ever told of segment 99, by which arm sent is recognised"),
        ("nobody_else", "arm sent names no attribute or segment, as others do"),
        ("lopsided", "the arms are not as large as planned"),
        ("due", "and not who was due a message of the campaign"),
    ],
)
def test_the_same_people_told_wrong_have_a_reason_and_no_number(
    built: Built, experiment: str, reason: str
) -> None:
    found = built.rows(
        "select distinct verdict, effect, reason from @experiment_results "
        f"where experiment_id = '{experiment}'"
    )
    assert [(verdict, effect) for verdict, effect, _ in found] == [("refused", None)]
    assert reason in found[0][2]


def test_who_is_held_out_stays_so_where_the_other_arm_was_told_wrong(built: Built) -> None:
    held_out = built.rows(
        "select count(*) from @experiment_people where experiment_id = 'unread' and is_held_out"
    )
    assert held_out == [(PEOPLE // 4,)]


def test_who_is_held_out_by_an_attribute_or_a_segment_is_in_no_plan(built: Built) -> None:
    """Everybody who bought nothing since May is to be won back."""
    with open_warehouse(built.home, purpose="call it a whole build") as connection:
        connection.execute("update raw_dbt.builds set is_whole = true")
    built.models.write_manifest(built.home)
    manifest = built.home.root / "target" / "manifest.json"
    clock = Clock(now=lambda: AS_OF.replace(tzinfo=None))
    (plan,) = plan_syncs(Room(built.home, manifest, select=[SYNC], clock=clock))
    held_out = [n for n in range(PEOPLE) if n % 4 < 2 and not buys(n)]
    others = [n for n in range(PEOPLE) if n % 4 >= 2 and not buys(n)]
    assert plan.left_out == {"held out": len(held_out) - 1}
    assert plan.adds == len(others)
