"""Telling a monitor how a run ended: a run that never comes is then missed by somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import httpx

from reverse_etl.http import is_loopback

if TYPE_CHECKING:
    from cio.run_settings import Heartbeat

TIMEOUT_SECONDS = 10.0


def beat(heartbeat: Heartbeat, *, is_ok: bool, line: str) -> str | None:
    """Call the monitor's address, or its `/fail`.

    The convention of the monitors for cron jobs: the address itself means well, `/fail` behind it
    means failed, and the body of a POST is kept with it.

    Args:
        heartbeat: Where, and how.
        is_ok: Whether the run did what it was to do.
        line: The run in one line, for a POST.

    Returns:
        What went wrong, without the address, or nothing. A monitor that cannot be reached is no
        reason for a run to fail: it will miss the run by itself.
    """
    if not heartbeat.url:
        return None
    address = urlsplit(heartbeat.url.reveal())
    if not is_ok:
        address = address._replace(path=address.path.rstrip("/") + "/fail")
    is_post = heartbeat.method.upper() == "POST"
    try:
        reply = httpx.request(
            "POST" if is_post else "GET",
            urlunsplit(address),
            content=line.encode() if is_post else None,
            timeout=TIMEOUT_SECONDS,
            follow_redirects=True,
            # a proxy from the environment has no business between us and this machine
            trust_env=not is_loopback(address.geturl()),
        )
    except httpx.HTTPError as error:
        return f"the heartbeat could not be sent ({type(error).__name__})"
    return None if reply.is_success else f"the heartbeat was answered with {reply.status_code}"
