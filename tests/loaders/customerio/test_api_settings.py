"""One section of the settings serves the App API and the receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loaders.customerio.api_settings import RECEIVERS, read_api_settings
from loaders.receiver.settings import ReceiverSettings
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".dlt").mkdir()
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    return tmp_path / ".dlt" / "secrets.toml"


def test_keys_of_the_receiver_are_no_misspelling(secrets: Path) -> None:
    secrets.write_text(
        '[loaders.customerio]\napp_api_key = "key"\nwebhook_signing_key = "another"\n'
    )
    assert read_api_settings().app_api_key.reveal() == "key"


def test_a_misspelt_key_is_still_named(secrets: Path) -> None:
    secrets.write_text('[loaders.customerio]\napp_api_kye = "key"\n')
    with pytest.raises(UsageError, match="app_api_kye"):
        read_api_settings()


def test_the_keys_left_to_the_receiver_are_its_own() -> None:
    assert set(RECEIVERS) <= set(ReceiverSettings.__dataclass_fields__)
