"""The project's own audiences pass the gate that a company's must pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cio.audience_lock import check_lock
from cio.audiences import check, read_audiences
from tests.conftest import ROOT
from warehouse.definitions import LOCK, read_lock

if TYPE_CHECKING:
    from tests.project.conftest import Manifest

pytestmark = pytest.mark.slow


def test_no_audience_is_refused_and_none_is_warned_of(manifest: Manifest) -> None:
    audiences = read_audiences(manifest)
    assert len(audiences) >= 3
    assert check(audiences) == []
    assert check_lock(audiences, read_lock(ROOT / LOCK)) == []


def test_every_audience_is_tested_at_the_edges_of_its_window(manifest: Manifest) -> None:
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    assert {one.name for one in read_audiences(manifest)} - tested == set()
