"""An arm that the warehouse drew stays, whatever is told later of earlier days."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from tests.conftest import ROOT
from tests.models.models_in_process import Models, parse
from warehouse.builds import Build
from warehouse.connection import open_warehouse
from warehouse.draws import land_draws
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

DRAWN = ["--select", "+assignment_draws", "+assignments"]
BUYERS = range(60)
EXPERIMENT = """
delete from dev_seeds.experiments;
delete from dev_seeds.experiment_arms;
insert into dev_seeds.experiments by name
select 'half' as experiment_id, 'warehouse' as kind, timestamp '2026-02-01' as starts_at,
    336 as window_hours, 0.5 as holdout_share, 'all' as covers;
insert into dev_seeds.experiment_arms by name
select 'half' as experiment_id, 'held_out' as arm, true as is_control
union all select 'half', 'sent', false
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("parsed")
    home = Home(folder / "home")
    home.make()
    return parse(home, ROOT / "fakes" / "company", folder / "target", {})


def order(home: Home, name: str, rows: list[str]) -> None:
    """Load orders from a file of their own."""
    path = home.root.parent / f"{home.root.name}-{name}.csv"
    path.write_text("\n".join(["order_id,customer_id,email,ordered_at,total_amount", *rows]) + "\n")
    load(home, "orders", [str(path)])


def arms(home: Home) -> dict[str, str]:
    """The arm of every customer id."""
    with open_warehouse(home, purpose="test") as warehouse:
        rows = warehouse.execute(
            "select identifier, arm from dev_marts.assignments "
            "inner join dev_marts.person_identifiers using (person_id) "
            "where identifier_type = 'customer_id'"
        ).fetchall()
    assert len(rows) == len(dict(rows)), "nobody is in two arms"
    return dict(rows)


def land(home: Home) -> bool:
    """Land what was drawn, as publishing does."""
    at = datetime(2026, 3, 1)  # noqa: DTZ001 - naive UTC, as in the warehouse
    build = Build("b", at, at, at, False, "dev", "dev_", None, None, True, True, 1, 0)  # noqa: FBT003 - a row
    with open_warehouse(home, purpose="test") as warehouse:
        return land_draws(warehouse, build)


def test_earlier_history_moves_nobody_who_was_drawn_and_published(
    models: Models, tmp_path: Path
) -> None:
    """Buyers whom an address of last year turns out to be: drawn anew, half of them would move."""
    home = Home(tmp_path / "home")
    home.make()
    order(home, "first", [f"o{n},{n},b{n}@example.com,2026-01-10,1" for n in BUYERS])
    models.run(home, "seed")
    with open_warehouse(home, purpose="test") as warehouse:
        warehouse.execute(EXPERIMENT)
    models.run(home, arguments=DRAWN)
    drawn = arms(home)
    assert set(drawn) == {str(n) for n in BUYERS}
    assert len(set(drawn.values())) == 2

    unpublished = Home(tmp_path / "unpublished")
    shutil.copytree(home.root, unpublished.root)
    assert land(home)
    assert not land(home)
    earlier = [f"e{n},,b{n}@example.com,2025-06-01,1" for n in BUYERS]
    late = [f"l{n},{n},b{n}@example.com,2026-01-20,1" for n in range(60, 70)]
    for one in (home, unpublished):
        order(one, "second", [*earlier, *late])
        models.run(one, arguments=DRAWN)
    stayed = arms(home)
    moved = arms(unpublished)
    assert {who: stayed[who] for who in drawn} == drawn
    assert sum(moved[who] != drawn[who] for who in drawn) > 10
    new = {str(n) for n in range(60, 70)}
    assert set(stayed) - set(drawn) == new
    assert {who: stayed[who] for who in new} == {who: moved[who] for who in new}
    assert land(home)
    with open_warehouse(home, purpose="test") as warehouse:
        counted = warehouse.execute(
            "select count(*), count(distinct first_person_id) from raw_draws.assignments"
        ).fetchone()
    assert counted == (70, 70)
