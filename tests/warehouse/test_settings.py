from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from warehouse.errors import UsageError
from warehouse.settings import check_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    folder = tmp_path / ".dlt"
    folder.mkdir()
    return folder


def test_no_settings_and_valid_ones_pass(folder: Path) -> None:
    check_settings()
    (folder / "config.toml").write_text('[loaders.orders.columns]\norder_id = "id"\n')
    check_settings()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'[a]\nkey = "s3cr3t\n', "line 2"),
        (b"[a]\n\nkey = s3cr3t\n", "line 3"),
        (b"[s3cr3t]\na = 1\n[s3cr3t]\n", "line 3"),
        (b'key = "s3cr3t', "end of document"),
        (b'key = "s3cr3t\xff"', "not UTF-8"),
    ],
)
def test_invalid_settings_are_named_with_their_place_and_never_quoted(
    folder: Path, content: bytes, place: str
) -> None:
    path = folder / "secrets.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as error:
        check_settings()
    assert str(path) in str(error.value)
    assert place in str(error.value)
    assert "s3cr3t" not in str(error.value)
    assert error.value.__cause__ is None
