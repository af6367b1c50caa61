from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reverse_etl.credentials import Secret, read_settings
from reverse_etl.destinations.mixpanel_settings import MixpanelSettings
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The secrets file of a project of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", raising=False)
    monkeypatch.delenv("REVERSE_ETL__MIXPANEL__BASE_URL", raising=False)
    (tmp_path / ".dlt").mkdir()
    return tmp_path / ".dlt" / "secrets.toml"


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hidden")
    shown = [repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{secret!r:>20}"]
    assert [text for text in shown if "hidden" in text] == []
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.reveal() == "hidden"
    assert secret == Secret("hidden")
    assert len({secret, Secret("hidden"), Secret("other")}) == 2


def test_the_environment_is_read_as_it_stands(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", " 0123 ")
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__REGION", "eu")
    settings = read_settings(MixpanelSettings, "mixpanel")
    assert settings.project_token.reveal() == "0123"
    assert settings.url == "https://api-eu.mixpanel.com"
    assert not secrets.exists()


def test_the_secrets_file_is_read(secrets: Path) -> None:
    secrets.write_text('[reverse_etl.mixpanel]\nproject_token = "abc"\nproject_id = 42\n')
    settings = read_settings(MixpanelSettings, "mixpanel")
    assert (settings.project_token.reveal(), settings.project_id) == ("abc", "42")


def test_an_unknown_key_is_named_with_its_file_and_its_neighbour(secrets: Path) -> None:
    secrets.write_text('[reverse_etl.mixpanel]\nproject_tokn = "abc"\n')
    with pytest.raises(UsageError, match="'project_tokn'; did you mean 'project_token'") as error:
        read_settings(MixpanelSettings, "mixpanel")
    assert "secrets.toml" in str(error.value)
    assert "abc" not in str(error.value)


def test_a_key_like_no_other_lists_what_is_known(secrets: Path) -> None:
    secrets.write_text('[reverse_etl.mixpanel]\nzzz = "abc"\n')
    with pytest.raises(UsageError, match="known: project_token, project_id"):
        read_settings(MixpanelSettings, "mixpanel")


def test_a_section_must_be_one(secrets: Path) -> None:
    secrets.write_text('[reverse_etl]\nmixpanel = "abc"\n')
    with pytest.raises(UsageError, match="is not a section"):
        read_settings(MixpanelSettings, "mixpanel")


def test_a_broken_file_is_named_and_not_quoted(secrets: Path) -> None:
    secrets.write_text("[reverse_etl.mixpanel]\nproject_token = abc\n")
    with pytest.raises(UsageError, match=r"secrets\.toml is not valid TOML") as error:
        read_settings(MixpanelSettings, "mixpanel")
    assert "abc" not in str(error.value)


def test_half_a_service_account_names_the_other_half(secrets: Path) -> None:
    secrets.write_text('[reverse_etl.mixpanel]\nservice_account_username = "me"\n')
    with pytest.raises(UsageError, match="service_account_secret is missing") as error:
        read_settings(MixpanelSettings, "mixpanel")
    assert "secrets.toml" in str(error.value)


def test_an_unknown_region_is_named(secrets: Path) -> None:
    secrets.write_text('[reverse_etl.mixpanel]\nregion = "moon"\n')
    with pytest.raises(UsageError, match="region is 'moon'; allowed: us, eu, in"):
        read_settings(MixpanelSettings, "mixpanel")
