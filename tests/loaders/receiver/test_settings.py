"""What the settings files say of webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loaders.receiver.settings import read_receiver_settings
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def write(tmp_path: Path, text: str) -> None:
    folder = tmp_path / ".dlt"
    folder.mkdir()
    (folder / "secrets.toml").write_text(f"[loaders.customerio]\n{text}\n")


def test_two_keys_stand_beside_each_other_while_one_is_replaced(tmp_path: Path) -> None:
    write(tmp_path, 'webhook_signing_key = "old, new"\napp_api_key = "another matter"')
    settings = read_receiver_settings()
    assert [key.reveal() for key in settings.signing_keys] == ["old", "new"]
    assert "old" not in repr(settings)
    assert settings.archive_days == 30


def test_without_settings_there_is_no_key() -> None:
    assert read_receiver_settings().signing_keys == ()


def test_a_key_that_is_misspelt_is_named(tmp_path: Path) -> None:
    write(tmp_path, 'webhook_singing_key = "x"')
    with pytest.raises(UsageError, match="webhook_signing_key"):
        read_receiver_settings()


def test_basic_auth_needs_a_user_and_a_password(tmp_path: Path) -> None:
    write(tmp_path, 'webhook_basic_auth = "only-a-password"')
    with pytest.raises(UsageError, match="user:password") as raised:
        read_receiver_settings()
    assert "only-a-password" not in str(raised.value)
