"""Every command of the documentation does what it is there for, against a small world."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from cio.demo import VENDORS, stand_ins
from cio.main import app
from fakes import customerio_app
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.server import serve_in_thread
from reverse_etl.credentials import variable
from tests.cio.conftest import COMPANY, DELIVERED, WORLD
from tests.conftest import ROOT
from tests.documented import documented
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

# What cannot be run here, by how it begins, and why, or which test runs it.
NOT_HERE = {
    "make": "they install, and call what tests call directly",
    "cio receive": "tests/cio/test_receive.py: it runs until it is stopped",
    "cio build": "tests/cio/test_tiny_warehouses.py: a whole build takes half a minute",
    "cio run": "tests/cio/test_run.py: it builds",
    "cio erase": "tests/cio/test_erase.py: it deletes at every destination",
    "cio readmit": "tests/cio/test_erase.py: it lets in who was erased there",
    "cio notebook holdout_readout": "tests/cio/test_notebook.py: it serves until it is stopped",
    "cio notebook fatigue --html": "tests/cio/test_demo.py: each notebook is a page there",
    "cio init --region eu --feed": "tests/cio/test_init.py: it looks into the reader's bucket",
    "cio init --slack-alerts": "tests/cio/test_init.py: alerts would go there, over the network",
    "cio load mparticle 's3://": "a bucket of the reader's",
    "cio audiences bump clicked_winback_no_order_5d": "an audience that the reader is to write",
    "cio backtest": "tests/cio/test_backtest.py: it builds each day",
    "cio diff clicked_winback_no_order_5d": "an audience that the reader is to write",
    "dbt build --select clicked_winback_no_order_5d": "an audience that the reader is to write",
}
# commands whose exit code says what they found
FOUND = {"cio sync plan": {0, 3}, "cio doctor": {0, 1}}
SYNCS = (*DELIVERED, "customerio_people", "tiktok_suppressed_members")
ACTIVE = ["tiktok"]
# who was sent all that there is
VERIFIED = ["mixpanel"]


def commands() -> list[str]:
    """Each command once, as the shell would hand it over."""
    lines = [shlex.join(line.words) for line in documented() if line.is_block]
    return list(dict.fromkeys(lines))


HERE = [one for one in commands() if not one.startswith(tuple(NOT_HERE))]


@pytest.fixture(scope="module")
def place(built_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the files that the pages speak of, and the vendors on loopback ports."""
    folder = tmp_path_factory.mktemp("documented")
    home = shutil.copytree(built_world, folder / "home")
    _keep_few_syncs(home / "target" / "manifest.json")
    _lay_out(home / "world", folder)
    given = {"CIO_HOME": str(home), "CIO_COMPANY": COMPANY, "DLT_PROJECT_DIR": str(folder)}
    here = Path.cwd()
    with (
        serve_in_thread(customerio_app.create_app(Workspace())) as app_api,
        stand_ins(Home(home), WORLD),
        patch.dict(os.environ, given),
    ):
        os.environ["LOADERS__CUSTOMERIO__BASE_URL"] = f"{app_api}/v1"
        os.environ["LOADERS__CUSTOMERIO__APP_API_KEY"] = APP_API_KEY
        os.chdir(folder)
        yield folder
        os.chdir(here)


def _keep_few_syncs(manifest: Path) -> None:
    """Those that were delivered and two more: each sync takes a second of every command."""
    document = json.loads(manifest.read_text(encoding="utf-8"))
    document["exposures"] = {
        key: one for key, one in document["exposures"].items() if one["name"] in SYNCS
    }
    manifest.write_text(json.dumps(document), encoding="utf-8")


def _lay_out(world: Path, folder: Path) -> None:
    (folder / "exports" / "webhooks").mkdir(parents=True)
    shutil.copy(next((world / "webhooks").glob("*.jsonl.gz")), folder / "exports" / "webhooks")
    for name in ("batches", "exports/mparticle"):
        (folder / name).mkdir()
        shutil.copy(world / "mparticle.jsonl", folder / name)
    lines = (world / "orders.csv").read_text(encoding="utf-8").splitlines()
    head = lines[0].replace("order_id", "id").replace("ordered_at", "created_at")
    (folder / "orders.csv").write_text("\n".join([head, *lines[1:]]) + "\n", encoding="utf-8")
    shutil.copy(world / "merges.csv", folder)
    members = (world / "mparticle_audiences.csv").read_text(encoding="utf-8")
    renamed = members.replace("audience_id", "segment", 1)
    (folder / "memberships.csv").write_text(renamed, encoding="utf-8")


@pytest.fixture
def environment(tmp_path: Path, command: str) -> dict[str, str]:
    """Credentials of the vendor that a command names, and of few others."""
    found = {}
    active = [name for name in VENDORS if f" {name}_" in command] or ACTIVE
    if command.startswith("cio init"):
        found["DLT_PROJECT_DIR"] = str(tmp_path)
    if command.startswith("cio verify"):
        active = VERIFIED
    inactive = [name for name in VENDORS if name not in active]
    return found | {
        variable(name, key): ""
        for name in inactive
        for key in VENDORS[name].settings("http://127.0.0.1:9")
    }


@pytest.mark.parametrize("command", HERE)
@pytest.mark.usefixtures("place")
def test_a_documented_command_does_what_it_is_there_for(
    environment: dict[str, str], command: str
) -> None:
    with patch.dict(os.environ, environment):
        result = CliRunner().invoke(app, shlex.split(command)[1:], input="y\n")
    allowed = next((codes for name, codes in FOUND.items() if command.startswith(name)), {0})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in allowed, result.output
    assert result.stdout.strip()


def test_what_is_not_run_here_is_said_why_and_no_more_than_that() -> None:
    every = commands()
    unused = [name for name in NOT_HERE if not any(one.startswith(name) for one in every)]
    assert unused == []
    elsewhere = [why.partition(":")[0] for why in NOT_HERE.values() if why.startswith("tests/")]
    assert [path for path in elsewhere if not (ROOT / path).is_file()] == []
    assert len(HERE) > len(every) / 2
