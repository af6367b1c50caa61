"""What the project stands on: held to what it was tried with, silent, and no client that drops."""

from __future__ import annotations

import importlib
import os
import re
import tomllib
from typing import TYPE_CHECKING

import yaml
from packaging.requirements import Requirement

import warehouse.land
from tests.conftest import ROOT

if TYPE_CHECKING:
    import pytest

# clients that queue in memory, and give up without saying so
FORGETFUL = re.compile(r"analytics|mixpanel|amplitude|segment|customerio|rudder|facebook|klaviyo")
# whose next version was seen to break files, drivers or imports of ours
HELD = ("dbt-core", "dbt-duckdb", "duckdb", "dlt")


def declared() -> dict[str, Requirement]:
    """The dependencies of the distribution, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {found.name: found for found in map(Requirement, project["dependencies"])}


def constrained() -> dict[str, str]:
    """The versions that are known to work together, by name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if "==" in line)
    return {name.strip().lower().replace("_", "-"): version.strip() for name, version in pairs}


def test_versions_that_work_together_are_within_what_is_declared() -> None:
    known = constrained()
    outside = [
        f"{name} {known.get(name)}"
        for name, wanted in declared().items()
        if name not in known or known[name] not in wanted.specifier
    ]
    assert outside == []


def test_what_breaks_with_its_next_version_has_an_upper_bound() -> None:
    found = declared()
    operators = {name: {s.operator for s in found[name].specifier} for name in HELD}
    assert {name for name, known in operators.items() if "<" not in known} == set()


def test_no_vendors_client_stands_between_us_and_a_reply() -> None:
    assert [name for name in declared() if FORGETFUL.search(name)] == []


def test_nothing_we_run_reports_on_its_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME__DLTHUB_TELEMETRY", raising=False)
    importlib.reload(warehouse.land)
    assert os.environ["RUNTIME__DLTHUB_TELEMETRY"] == "false"
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    assert project["flags"]["send_anonymous_usage_stats"] is False
