"""`cio receive`: the endpoint for Customer.io's reporting webhooks."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from loaders.receiver.gate import networks
from loaders.receiver.server import receive, start_logging
from loaders.receiver.settings import missing_key, read_receiver_settings
from loaders.receiver.spool import Limits, spool_folder
from loaders.receiver.worker import Receiving
from warehouse.errors import UsageError
from warehouse.home import Home
from warehouse.stop_list import stop_list_path

_MEGABYTE = 2**20
_PATH = re.compile(r"/[A-Za-z0-9/._~-]*")
_TAKEN = frozenset({"/healthz", "/metrics"})


def receive_webhooks(  # noqa: PLR0913 - the options of the command
    *,
    host: Annotated[
        str, typer.Option(envvar="CIO_RECEIVE_HOST", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="CIO_RECEIVE_PORT", min=0, max=65535, help="0: any free one.")
    ] = 8080,
    path: Annotated[
        str, typer.Option(envvar="CIO_RECEIVE_PATH", help="Where Customer.io posts to.")
    ] = "/customerio",
    workers: Annotated[
        int, typer.Option(envvar="CIO_RECEIVE_WORKERS", min=1, max=64, help="Processes.")
    ] = 1,
    max_body: Annotated[
        int,
        typer.Option(
            envvar="CIO_RECEIVE_MAX_BODY",
            min=1024,
            max=32 * _MEGABYTE,
            help="What is kept of a body, in bytes; a longer one ends in quarantine.",
        ),
    ] = _MEGABYTE,
    replay_window: Annotated[
        float | None,
        typer.Option(
            envvar="CIO_RECEIVE_REPLAY_WINDOW",
            min=1,
            help="Refuse what was sent longer ago than so many seconds.",
        ),
    ] = None,
    allow_ip: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CIO_RECEIVE_ALLOW_IP", help="An address or range that may post; repeatable."
        ),
    ] = None,
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CIO_RECEIVE_TRUST_PROXY",
            help="A proxy whose X-Forwarded-For is believed; repeatable.",
        ),
    ] = None,
    rotate_bytes: Annotated[
        int,
        typer.Option(
            envvar="CIO_RECEIVE_ROTATE_BYTES", min=1, help="Finish a file at this size, …"
        ),
    ] = 64 * _MEGABYTE,
    rotate_seconds: Annotated[
        float,
        typer.Option(
            envvar="CIO_RECEIVE_ROTATE_SECONDS",
            min=1,
            help="… or at this age; then a load sees it.",
        ),
    ] = 60,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Receive without a signing key, from anybody.")
    ] = False,
) -> None:
    """Receive reporting webhooks: on disk first, then acknowledged. `cio load webhooks` loads."""
    settings = read_receiver_settings()
    if unsigned and settings.signing_keys:
        message = "there is a signing key, so --unsigned would only make it useless; leave one out"
        raise UsageError(message)
    if not settings.signing_keys and not unsigned:
        raise UsageError(missing_key())
    if path in _TAKEN or not _PATH.fullmatch(path):
        message = (
            f"--path {path}: write a path such as /customerio, of letters, digits and / . _ ~ -, "
            f"and none of {', '.join(sorted(_TAKEN))}"
        )
        raise UsageError(message)
    home = Home.resolve()
    receiving = Receiving(
        folder=spool_folder(home),
        keys=settings.signing_keys,
        host=host,
        port=port,
        path=path,
        workers=workers,
        max_body=max_body,
        replay_seconds=replay_window,
        allowed=networks(allow_ip or (), option="--allow-ip"),
        proxies=networks(trust_proxy or (), option="--trust-proxy"),
        basic_auth=settings.webhook_basic_auth,
        limits=Limits(size_bytes=rotate_bytes, age_seconds=rotate_seconds),
        stop_list=stop_list_path(home),
    )
    start_logging()
    receive(receiving)
