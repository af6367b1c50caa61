from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from warehouse.errors import UsageError
from warehouse.home import Home, project_root

if TYPE_CHECKING:
    from pathlib import Path


def test_the_home_is_where_cio_home_says_and_for_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIO_HOME", str(tmp_path / "far" / "away"))
    home = Home.resolve()
    assert home.root == tmp_path / "far" / "away"
    for folder in (home.root, home.published, home.journals, home.locks, home.dlt, home.spool):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert home.warehouse == home.root / "warehouse.duckdb"


def test_a_relative_home_lies_in_the_project_that_the_working_directory_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dbt_project.yml").touch()
    (tmp_path / "models" / "marts").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "models" / "marts")
    monkeypatch.setenv("CIO_HOME", "elsewhere")
    assert project_root() == tmp_path
    assert Home.resolve().root == tmp_path / "elsewhere"


def test_a_home_that_cannot_be_made_names_the_folder_and_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CIO_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(UsageError, match=r"file/home.*CIO_HOME"):
        Home.resolve()
