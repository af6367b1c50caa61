"""The project's own audiences pass the gate that a company's must pass."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cio.audience_lock import check_lock
from cio.audiences import check, read_audiences
from tests.conftest import ROOT
from warehouse.definitions import LOCK, read_lock

if TYPE_CHECKING:
    from tests.project.conftest import Manifest

pytestmark = pytest.mark.slow

# Its windows are in `product_cycles`, and their edges are tested where it is joined.
CYCLES = "replenishment_stages"
SECOND = timedelta(seconds=1)


def test_no_audience_is_refused_and_none_is_warned_of(manifest: Manifest) -> None:
    audiences = read_audiences(manifest)
    assert len(audiences) >= 3
    assert check(audiences) == []
    assert check_lock(audiences, read_lock(ROOT / LOCK)) == []


def test_every_audience_is_tested_at_the_edges_of_its_window(manifest: Manifest) -> None:
    """Somebody is at each edge to the second, and somebody a second beside it."""
    untested = {
        audience.name: beside
        for audience in read_audiences(manifest)
        if (beside := _edges(audience.meta["window"]) - _tested_edges(manifest, audience.name))
        and CYCLES not in audience.parents
    }
    assert untested == {}
    models = {test["model"] for test in manifest["unit_tests"].values()}
    assert {one.name for one in read_audiences(manifest)} | {CYCLES} <= models


def _edges(window: str) -> set[timedelta]:
    """How long before the build the edges of a window like `6-24 hours` lie; `ever` has none."""
    if window == "ever":
        return set()
    *numbers, unit = re.split(r"[ -]", window)
    return {timedelta(**{f"{unit.removesuffix('s')}s": int(number)}) for number in numbers}


def _tested_edges(manifest: Manifest, name: str) -> set[timedelta]:
    """How long before the build people are, in its unit tests, with others a second beside."""
    found = set()
    for test in manifest["unit_tests"].values():
        as_of: Any = ((test["overrides"] or {}).get("vars") or {}).get("as_of")
        if test["model"] == name and as_of is not None:
            instants = {
                datetime.fromisoformat(as_of) - datetime.fromisoformat(instant)
                for instant in re.findall(
                    r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d)?",
                    json.dumps(test["given"], default=str),
                )
            }
            found |= {one for one in instants if {one - SECOND, one + SECOND} & instants}
    return found
