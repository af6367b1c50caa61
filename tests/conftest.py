"""What tests share: homes of their own, and the project's own commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.home import Home

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home of the test's own."""
    monkeypatch.setenv("CIO_HOME", str(tmp_path / "home"))
    return Home.resolve()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Public data sets kept beside the repository, never in it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the public data sets are not here: {folder} is absent")
    return folder
