"""`cio load api`: the App API from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cio.main import app
from fakes.customerio_app import APP_API_KEY, Workspace, create_app
from fakes.server import serve_in_thread
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from warehouse.home import Home


@pytest.fixture
def api(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    del home
    workspace = Workspace(topics=[{"id": 1, "name": "Deals"}], campaigns=[{"id": 7, "name": "Hi"}])
    with serve_in_thread(create_app(workspace)) as url:
        monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
        monkeypatch.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", APP_API_KEY)
        monkeypatch.setenv("LOADERS__CUSTOMERIO__BASE_URL", f"{url}/v1")
        yield


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["load", "api", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.usefixtures("api")
def test_what_was_loaded_is_told_in_words_and_as_json() -> None:
    assert run("topics").splitlines() == [
        "api: 1 loaded, 0 unchanged, 0 quarantined, by 1 requests",
        "  api_topics: 1 of 1",
    ]
    told = json.loads(run("topics", "campaigns", "--since", "2026-01-01", "--json"))
    assert (told["loaded"], told["duplicates"], told["records"]) == (1, 1, 2)
    counts = {"read": 1, "landed": 1, "quarantined": 0, "erased": 0}
    assert told["tables"]["api_campaigns"] == counts


@pytest.mark.usefixtures("api")
def test_an_instant_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="yesterday is no instant"):
        run("topics", "--since", "yesterday")
