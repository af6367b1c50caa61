"""`cio init`: a set-up that is whole or not there, keeps what is there, and says what works."""

from __future__ import annotations

import json
import os
import pty
import signal
import sys
import tomllib
from contextlib import suppress
from subprocess import Popen, TimeoutExpired
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cio import init_command
from cio.alert_channels import configured_channels
from cio.main import app
from cio.run_settings import FeedLoad, read_run_settings
from fakes import customerio_app, mixpanel
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.server import serve_in_thread
from loaders.registry import FEEDS
from reverse_etl.credentials import read_settings
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.identity import read_identity
from tests.conftest import ROOT
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a project of its own, where nothing is set."""
    for name in [one for one in os.environ if "REVERSE_ETL" in one or "LOADERS__" in one]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    return tmp_path / ".dlt"


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Mixpanel and Customer.io's App API on loopback ports."""
    with (
        serve_in_thread(mixpanel.create_app()) as first,
        serve_in_thread(customerio_app.create_app(Workspace())) as second,
    ):
        monkeypatch.setenv("REVERSE_ETL__MIXPANEL__BASE_URL", first)
        monkeypatch.setenv("LOADERS__CUSTOMERIO__BASE_URL", f"{second}/v1")
        yield


def init(*arguments: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(app, ["init", *arguments], input=answers)


def states(result: Result) -> dict[str, str]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    found: Any = json.loads(result.stdout)
    return {one["name"]: one["status"] for one in found["credentials"]}


def test_flags_alone_set_up_what_the_other_commands_read(folder: Path) -> None:
    said = init(
        *("--region", "eu", "--feed", "webhooks", "--feed", "api", "--identity", "email"),
        *("--feed", "orders=s3://shop/orders/*.csv", "--feed", "orders=old.csv"),
        *("--destination", "mixpanel=in", "--destination", "segment", "--no-check"),
    )
    assert said.exit_code == 0, said.output
    settings = read_run_settings(FEEDS)
    assert settings.target == "prod"
    assert settings.loads == (
        FeedLoad("webhooks"),
        FeedLoad("api"),
        FeedLoad("orders", ("s3://shop/orders/*.csv", "old.csv")),
    )
    assert read_identity() == "email"
    assert "--identity customer_id" in said.output
    regions = {
        name: read_settings(DESTINATIONS[name].settings, name).region
        for name in ("mixpanel", "segment")
    }
    assert regions == {"mixpanel": "in", "segment": "eu"}
    secrets = tomllib.loads((folder / "secrets.toml").read_text())
    assert secrets["loaders"]["customerio"] == {"webhook_signing_key": "", "app_api_key": ""}
    assert secrets["reverse_etl"]["segment"] == {"write_key": "", "public_api_token": ""}
    assert (folder / "secrets.toml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", DESTINATIONS)
def test_the_template_has_every_key_that_a_destination_is_missing(folder: Path, name: str) -> None:
    assert init("--destination", name, "--no-check").exit_code == 0
    template = tomllib.loads((folder / "secrets.toml").read_text())["reverse_etl"][name]
    # empty keys are none: the destination is not set up, and says what it lacks
    settings = read_settings(DESTINATIONS[name].settings, name)
    missing = {key for one in DESTINATIONS[name].objects for key in settings.missing(one)}
    assert missing <= set(template)
    assert set(template.values()) == {""}


def test_run_again_it_changes_nothing_and_adds_what_is_new(folder: Path) -> None:
    init("--destination", "mixpanel", "--no-check")
    (folder / "secrets.toml").write_text('# mine\n[reverse_etl.mixpanel]\nproject_token = "t0p"\n')
    before = (folder / "config.toml").read_text()
    again = init("--destination", "meta", "--no-check")
    assert (folder / "config.toml").read_text() == before
    secrets = (folder / "secrets.toml").read_text()
    assert secrets.startswith('# mine\n[reverse_etl.mixpanel]\nproject_token = "t0p"\n')
    assert "[reverse_etl.meta]" in secrets
    assert "+[reverse_etl.meta]" in again.output
    assert "t0p" not in again.output
    assert "the settings stay as they are" in init("--no-check").output


def test_what_is_set_is_replaced_only_by_force(folder: Path) -> None:
    init("--region", "us", "--no-check")
    refused = init("--region", "eu", "--destination", "meta", "--no-check")
    assert isinstance(refused.exception, UsageError)
    assert "'us', not \"eu\"" in str(refused.exception)
    assert "--force" in str(refused.exception)
    assert "meta" not in (folder / "secrets.toml").read_text()
    forced = init("--region", "eu", "--force", "--no-check")
    assert '-region = "us"\n+region = "eu"' in forced.output
    assert 'region = "eu"' in (folder / "config.toml").read_text()


def test_alerts_and_the_heartbeat_are_set_up_and_no_address_is_shown_or_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ALERTS__SLACK__URL", "ALERTS__WEBHOOK__URL", "RUN__HEARTBEAT__URL"):
        monkeypatch.delenv(name, raising=False)
    flags = ("--slack-alerts", "https://hooks.slack.com/services/s3cret")
    flags += ("--alert-webhook", "https://example.com/s3cret")
    said = init(*flags, "--heartbeat", "https://monitor.example.com/ping/s3cret")
    assert said.exit_code == 0, said.output
    assert "s3cret" not in said.output
    assert [channel.name for channel in configured_channels()] == ["slack", "webhook"]
    heartbeat = read_run_settings(FEEDS).heartbeat
    assert heartbeat.url.reveal() == "https://monitor.example.com/ping/s3cret"
    again = init(*flags, "--json")
    assert json.loads(again.stdout)["written"] == []
    assert states(again) | {"alerts": "set", "heartbeat": "set"} == states(again)
    before = (folder / "secrets.toml").read_text()
    other = init("--slack-alerts", "https://hooks.slack.com/services/other", "--force")
    assert isinstance(other.exception, UsageError)
    assert "url of [alerts.slack] in secrets.toml is set to another one" in str(other.exception)
    assert "s3cret" not in str(other.exception)
    assert (folder / "secrets.toml").read_text() == before


def test_a_dry_run_shows_the_change_and_makes_none(folder: Path) -> None:
    said = init("--destination", "tiktok", "--dry-run")
    assert "+[reverse_etl.tiktok]" in said.output
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--region", "uk"), "--region uk: there is no such; write one of us, eu"),
        (("--feed", "order=x.csv"), "--feed order: there is no such; did you mean orders?"),
        (("--feed", "orders"), "--feed orders: say where it lies"),
        (("--identity", "phone"), "--identity phone: there is no such"),
        (("--destination", "mixpannel"), "did you mean mixpanel?"),
        (("--destination", "mixpanel=uk"), "region is 'uk'; allowed: us, eu, in"),
        (("--destination", "meta=eu"), "meta has no regions"),
        (("--slack-alerts", "hooks.slack.com/s3cret"), "--slack-alerts: url of [alerts.slack] is"),
        (("--alert-webhook", "http://example.com/a"), "--alert-webhook: url of [alerts.webhook]"),
        (("--heartbeat", "monitor"), "--heartbeat: url of [run.heartbeat] is no address"),
    ],
)
def test_a_wrong_answer_is_named_and_leaves_nothing(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    said = init(*arguments)
    assert isinstance(said.exception, UsageError)
    assert words in str(said.exception)
    assert not folder.exists()


@pytest.mark.usefixtures("vendors")
def test_each_credential_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").touch()
    monkeypatch.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", APP_API_KEY)
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", mixpanel.TOKEN)
    flags = ["--destination", "mixpanel", "--feed", "webhooks", "--feed", "api"]
    flags += ["--feed", f"orders={tmp_path / 'orders.csv'}", "--feed", "refunds=nowhere/*.csv"]
    good = init(*flags, "--json")
    assert good.exit_code == 0
    assert states(good) == {
        "customerio: webhooks": "missing",
        "customerio: App API": "ok",
        "feed: orders": "ok",
        "feed: refunds": "missing",
        "mixpanel: message_events, audience_members, person_properties": "ok",
        "mixpanel: campaign_lookup": "missing",
        "alerts": "missing",
        "heartbeat": "missing",
    }
    monkeypatch.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", "s3cret-of-nobody")
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", "s3cret-of-nobody")
    monkeypatch.setenv("LOADERS__CUSTOMERIO__WEBHOOK_SIGNING_KEY", "k")
    bad = init()
    assert bad.exit_code == 1
    assert "✗ failed   mixpanel: message_events" in bad.output
    assert "refuses the credentials: see project_token" in bad.output
    assert "✗ failed   customerio: App API" in bad.output
    assert "region under [loaders.customerio]" in bad.output
    assert "✓ set      customerio: webhooks" in bad.output
    assert "s3cret" not in bad.output


def test_a_vendor_that_is_down_is_asked_once_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # port 9 is nobody's: the connection is refused at once
    monkeypatch.setenv("LOADERS__CUSTOMERIO__BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", "k")
    said = init("--feed", "api")
    assert said.exit_code == 1
    assert "did not answer GET activities" in said.output
    assert ", 1 attempt." in said.output


def test_what_is_not_said_is_asked_and_a_wrong_answer_is_asked_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(init_command, "is_terminal", lambda: True)
    answers = ["uk", "eu", "webhooks, order", "webhooks, orders", "shop/*.csv", "", "mixpanell"]
    answers += ["mixpanel", "signing-s3cret", "token-s3cret", *5 * [""]]
    answers += ["hooks.slack.com", "https://hooks.slack.com/services/s3cret", "", "", "y"]
    said = init("--no-check", answers="\n".join(answers) + "\n")
    assert said.exit_code == 0, said.output
    assert "did you mean orders?" in said.output
    assert "did you mean mixpanel?" in said.output
    assert "url of [alerts.slack] is no address that alerts may go to" in said.output
    assert "s3cret" not in said.output
    assert [channel.name for channel in configured_channels()] == ["slack"]
    assert read_run_settings(FEEDS).loads[1] == FeedLoad("orders", ("shop/*.csv",))
    secrets = tomllib.loads((folder / "secrets.toml").read_text())
    assert secrets["loaders"]["customerio"]["webhook_signing_key"] == "signing-s3cret"
    assert secrets["reverse_etl"]["mixpanel"]["project_token"] == "token-s3cret"  # noqa: S105 - what was typed
    # what is filled in is not asked for again; what was left empty is
    later = init("--no-check", answers="\n\nP1" + 7 * "\n" + "y\n")
    assert "project_id (empty: later): P1" in later.output
    assert "project_token" not in later.output


def test_no_is_an_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_command, "is_terminal", lambda: True)
    said = init("--no-check", answers="eu\nwebhooks\n\nnone\n\n\n\n\nn\n")
    assert "nothing was written" in said.output
    assert not folder.exists()


def interrupted(process: Popen[bytes]) -> int:
    """Press Ctrl-C until it ends: one that comes just before Python waits for a line is not seen.

    Returns:
        The exit code.
    """
    for _ in range(12):
        process.send_signal(signal.SIGINT)
        with suppress(TimeoutExpired):
            return process.wait(timeout=5)
    process.kill()
    return process.wait()


def test_who_leaves_half_way_leaves_nothing(folder: Path) -> None:
    """At a real terminal, with Ctrl-C at the second question."""
    ours, theirs = pty.openpty()
    with Popen(
        [sys.executable, "-m", "cio.main", "init"],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        said = b""
        while b"Region" not in said:
            said += os.read(ours, 4096)
        os.write(ours, b"eu\n")
        while b"Feeds" not in said:
            said += os.read(ours, 4096)
        assert interrupted(process) == 1
    os.close(ours)
    assert not folder.exists()


def test_outside_of_the_project_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DLT_PROJECT_DIR")
    monkeypatch.chdir(tmp_path)
    said = init()
    assert isinstance(said.exception, UsageError)
    assert "dbt_project.yml" in str(said.exception)
