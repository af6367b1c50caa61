"""`cio receive` as a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.cio.command import cio
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

KEY = {"LOADERS__CUSTOMERIO__WEBHOOK_SIGNING_KEY": "a-key-that-must-not-be-shown"}


def test_without_a_key_it_does_not_start_and_says_where_one_goes(tmp_path: Path) -> None:
    said = cio("receive", home=tmp_path / "home", environment={"DLT_PROJECT_DIR": str(tmp_path)})
    assert said.exit_code == 2
    assert "webhook_signing_key" in said.err
    assert "--unsigned" in said.err
    assert "Traceback" not in said.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--unsigned",), "--unsigned"),
        (("--path", "/metrics"), "--path"),
        (("--path", "customerio"), "--path"),
        (("--allow-ip", "10.0.0.1/8"), "--allow-ip"),
        (("--trust-proxy", "proxy"), "--trust-proxy"),
        (("--max-body", "10"), "--max-body"),
        (("--host", "192.0.2.1"), "--host"),
    ],
)
def test_what_cannot_be_is_refused_with_the_option_named(
    tmp_path: Path, options: tuple[str, ...], named: str
) -> None:
    said = cio(
        *("receive", "--port", "0", *options),
        home=tmp_path / "home",
        environment=KEY | {"DLT_PROJECT_DIR": str(tmp_path)},
    )
    assert said.exit_code == 2
    assert named in said.err
    assert "Traceback" not in said.err
    assert "must-not-be-shown" not in said.err


@pytest.mark.slow
def test_unsigned_receives_from_anybody_and_a_load_takes_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    places = {"CIO_HOME": str(home), "DLT_PROJECT_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "cio.main", "receive", "--unsigned", "--port", "0"],
        env=os.environ | places,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found is not None
        event = {
            "event_id": "01E1",
            "object_type": "email",
            "metric": "sent",
            "timestamp": 1613063089,
            "data": {"identifiers": {"id": "42"}},
        }
        assert httpx.post(found.group(), json=event).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.communicate()
    said = cio("load", "webhooks", "--json", home=home, environment=places)
    assert said.exit_code == 0, said.err
    assert said.json["loaded"] == 1
