"""Runs a stand-in as a process: `python -m fakes mixpanel --port 8801`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fakes import (
    amplitude,
    customerio_track,
    customerio_workspace,
    google_data_manager,
    klaviyo,
    meta,
    mixpanel,
    segment,
    slack,
    tiktok,
    webhook,
)
from fakes.server import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.control import Control

APPS: dict[str, Callable[..., Control]] = {
    "amplitude": amplitude.create_app,
    "customerio": customerio_track.create_app,
    "customerio_app": customerio_workspace.create_app,
    "google": google_data_manager.create_app,
    "klaviyo": klaviyo.create_app,
    "meta": meta.create_app,
    "mixpanel": mixpanel.create_app,
    "segment": segment.create_app,
    "slack": slack.create_app,
    "tiktok": tiktok.create_app,
    "webhook": webhook.create_app,
}


def main() -> None:
    """Serve one stand-in until the process ends."""
    parser = argparse.ArgumentParser(prog="python -m fakes", description=__doc__)
    parser.add_argument("vendor", choices=sorted(APPS))
    parser.add_argument("--port", type=int, required=True, help="loopback port to listen on")
    parser.add_argument("--store", type=Path, help="file that keeps what was accepted")
    arguments = parser.parse_args()
    serve(APPS[arguments.vendor](store=arguments.store), port=arguments.port)


if __name__ == "__main__":
    main()
