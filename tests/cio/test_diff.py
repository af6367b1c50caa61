"""`cio diff` names whom the working tree's definitions let in and out.

What is published is made by hand; the definitions are the project's own, compiled by dbt.
"""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from cio import diff_command
from cio.dbt import BuildFailed, Project
from cio.diff import Diff, Difference, Reason, diff
from cio.main import app
from cio.parsed import Parsed
from tests.conftest import ROOT
from tests.models.models_in_process import parse
from warehouse.connection import open_warehouse
from warehouse.definitions import read_lock
from warehouse.errors import CioError, UsageError
from warehouse.home import Home
from warehouse.publish import publish

pytestmark = pytest.mark.slow

COMPANY = ROOT / "fakes" / "company"
CART = "clicked_cart_12h"
EMAIL = "clicked_email_7d"
KEY = "model.customerio_warehouse."
LOCKED = {
    f"{name}@{row.version}": row.checksum
    for name, row in read_lock(ROOT / "audiences.lock.yml").items()
}
MEMBERS = "(person_id text, entered_at timestamp, expires_at timestamp, reason text)"
PUBLISHED = f"""
create schema raw_dbt;
create table raw_dbt.builds as select 'b1' as build_id,
    timestamp '2026-09-01 00:10:00' as started_at, timestamp '2026-09-01 00:20:00' as finished_at,
    timestamp '2026-09-01 00:00:00' as as_of,
    false as is_as_of_given, 'prod' as target, '' as schema_prefix, 'build' as command,
    null::text as selection, true as is_whole, true as is_passed, 1::bigint as models,
    0::bigint as failures;
create schema marts; create schema audiences; create schema seeds; create schema operations;
create table marts.human_clicks as
    select message_event_id, person_id, 'd' as delivery_id, channel, message_class,
        occurred_at::timestamp as occurred_at, false as is_promotional
    from (values
        ('e1', 'enters', 'email', 'cart', '2026-08-31 20:00:00'),
        ('e2', 'stays', 'email', 'cart', '2026-08-31 21:00:00'),
        ('e3', 'moves', 'email', 'cart', '2026-08-31 22:00:00'),
        ('e4', 'too_old', 'email', 'cart', '2026-08-31 11:59:59')
    ) as clicks(message_event_id, person_id, channel, message_class, occurred_at);
create table marts.person_consent as
    select 'enters' as person_id, 'all' as channel, true as is_opted_out;
create table marts.suppression_ladder as select 'stays' as person_id;
create table marts.experiment_people as
    select * from (values ('enters', true, null::timestamp),
        ('enters', true, timestamp '2026-08-01')) as held(person_id, is_held_out, held_out_until);
create table audiences.{CART} {MEMBERS};
insert into audiences.{CART} values
    ('stays', '2026-08-31 21:00:00', '2026-09-01 09:00:00', 'as before'),
    ('moves', '2026-08-31 20:00:00', '2026-09-01 08:00:00', 'as before'),
    ('leaves', '2026-08-31 10:00:00', '2026-09-01 10:00:00', 'clicked long ago');
"""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - dbt's own
    folder = tmp_path_factory.mktemp("parsed")
    home = Home(folder / "home")
    home.make()
    variables = {"as_of": "2026-09-01T00:00:00+00:00"}
    return parse(home, COMPANY, folder / "target", variables).manifest


@pytest.fixture
def tree(home: Home, manifest: Any) -> Parsed:  # noqa: ANN401 - dbt's own
    """The working tree, beside a published build."""
    home.make()
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(PUBLISHED)
    assert publish(home) is not None
    return Parsed(Project(home=home, company=COMPANY), manifest)


def publish_more(home: Home, sql: str) -> None:
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(sql)
        connection.execute("update raw_dbt.builds set build_id = 'b2', started_at = '2026-09-02'")
    assert publish(home) is not None


def only(found: Diff) -> Difference:
    (one,) = found.audiences
    return one


def test_it_says_who_enters_leaves_stays_and_moves_and_why(tree: Parsed) -> None:
    found = diff(tree, [CART], LOCKED)
    one = only(found)
    assert (found.as_of, found.build_id) == ("2026-09-01T00:00:00", "b1")
    assert (one.entered, one.left, one.stayed, one.moved) == (1, 1, 2, 1)
    assert one.entered_people == ("enters",)
    assert one.left_people == ("leaves",)
    assert one.entered_reasons == (Reason("clicked a cart message 1 times in 12 hours", 1),)
    assert one.left_reasons == (Reason("clicked long ago", 1),)
    assert one.is_changed
    assert one.is_locked
    assert not one.is_new


def test_of_those_who_enter_it_counts_whom_somebody_keeps_away(tree: Parsed) -> None:
    one = only(diff(tree, [CART], LOCKED))
    assert one.cautions == {"opted out": 1, "held out of a running experiment": 1}


def test_an_audience_that_is_not_published_yet_is_new(tree: Parsed) -> None:
    one = only(diff(tree, [EMAIL], LOCKED, people=2))
    assert one.is_new
    assert (one.entered, one.left, one.stayed) == (4, 0, 0)
    assert one.entered_people == ("enters", "moves")


def test_a_changed_definition_is_not_in_the_lock(
    tree: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tree.manifest.nodes[f"{KEY}{CART}"]
    changed = node.raw_code.replace("12, 'hour'", "13, 'hour'")
    monkeypatch.setattr(node, "raw_code", changed)
    one = only(diff(tree, [CART], LOCKED))
    assert "too_old" in one.entered_people
    assert not one.is_locked


def test_marts_are_built_too_where_what_they_read_is_published(
    tree: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_more(
        tree.project.home,
        """
        create table marts.message_responses as
            select message_event_id, person_id, delivery_id, channel, occurred_at,
                'clicked' as metric, true as is_human, false as is_ghost
            from marts.human_clicks;
        create table marts.deliveries as
            select 'd' as delivery_id, 'cart' as message_class, false as is_promotional;
        """,
    )
    clicks = tree.manifest.nodes[f"{KEY}human_clicks"]
    nobody = clicks.raw_code.replace("metric = 'clicked'", "metric = 'seen'")
    monkeypatch.setattr(clicks, "raw_code", nobody)
    assert only(diff(tree, [CART], LOCKED)).entered == 1
    found = diff(tree, [CART], LOCKED, is_with_marts=True)
    assert (only(found).entered, only(found).left) == (0, 3)
    assert found.marts_built == ("human_clicks",)
    assert {"message_responses", "deliveries"} <= set(found.marts_published)


def test_nothing_is_left_of_it_and_nobody_is_waited_for(tree: Parsed) -> None:
    home = tree.project.home
    before = {path: path.stat().st_mtime_ns for path in home.published.iterdir()}
    with open_warehouse(home, purpose="hold it") as connection:
        diff(tree, [CART], LOCKED)
        schemas = connection.execute("select schema_name from duckdb_schemas()").fetchall()
    assert ("scratch",) not in schemas
    assert {path: path.stat().st_mtime_ns for path in home.published.iterdir()} == before
    assert tree.manifest.nodes[f"{KEY}{CART}"].database != "scratch"


def test_a_person_listed_twice_is_refused(tree: Parsed, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tree.manifest.nodes[f"{KEY}{CART}"]
    monkeypatch.setattr(node, "raw_code", f"{node.raw_code} union all select * from final")
    with pytest.raises(CioError, match=rf"{CART}\.sql lists 3 people more than once"):
        diff(tree, [CART], LOCKED)


def test_what_does_not_run_or_compile_names_its_file(
    tree: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tree.manifest.nodes[f"{KEY}{CART}"]
    monkeypatch.setattr(node, "raw_code", "select nothing_like_it from {{ ref('human_clicks') }}")
    with pytest.raises(CioError, match=rf"{CART}\.sql does not run .*nothing_like_it"):
        diff(tree, [CART], LOCKED)
    monkeypatch.setattr(node, "raw_code", "select {{ no_such_macro() }}")
    with pytest.raises(BuildFailed, match="no_such_macro"):
        diff(tree, [CART], LOCKED)


def test_an_audience_over_what_is_not_published_says_so(tree: Parsed) -> None:
    with pytest.raises(CioError, match=r"reads orders, which is not published. Run `cio build`"):
        diff(tree, ["purchased_3d"], LOCKED)


def test_an_audience_that_is_none_is_refused(tree: Parsed) -> None:
    with pytest.raises(UsageError, match="there is no audience human_clicks"):
        diff(tree, ["human_clicks"], LOCKED)


def test_the_command_tells_it_in_words_and_as_json(
    tree: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def parsed(project: Project) -> Parsed:
        asked.append(project.target)
        return tree

    monkeypatch.setattr(diff_command, "parse", parsed)
    monkeypatch.setenv("COLUMNS", "160")
    said = CliRunner().invoke(app, ["diff", CART])
    assert said.exit_code == 0, said.output
    assert "1 enter: clicked a cart message 1 times in 12 hours (1)" in said.output
    assert "1 leave: clicked long ago (1)" in said.output
    assert "1 of those who enter: opted out" in said.output
    assert "such as leaves" in said.output
    told = CliRunner().invoke(app, ["diff", CART, "--json", "--people", "0"])
    assert '"entered": 1' in told.output
    assert '"left_people": []' in told.output
    assert asked == ["prod", "prod"]


def test_without_a_published_build_it_says_what_to_do(home: Home) -> None:
    home.make()
    said = CliRunner().invoke(app, ["diff"])
    assert "Run `cio build` first" in str(said.exception)
