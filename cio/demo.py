"""The whole loop on a seeded world, in a room of its own, against stand-ins on loopback."""

from __future__ import annotations

import json
import os
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cio.build import build
from cio.dbt import Project
from cio.project import current_manifest
from cio.report.facts import Audience, Facts, Lift, read_facts
from cio.report.page import write_page
from fakes import (
    amplitude,
    customerio_track,
    google_data_manager,
    klaviyo,
    meta,
    mixpanel,
    segment,
    slack,
    tiktok,
    webhook,
)
from fakes.customerio_workspace import settle_workspace
from fakes.population import WorldSettings, generate
from fakes.server import LOOPBACK, serve_in_thread
from fakes.world import paid
from loaders.run import load
from reverse_etl.credentials import variable
from reverse_etl.run import Room, run_syncs
from reverse_etl.status import status
from warehouse.connection import read_published
from warehouse.errors import CioError
from warehouse.home import Home, project_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from fakes.control import Control
    from reverse_etl.sync_run import SyncRun

FILES = {
    "orders": "orders.csv",
    "order_items": "order_items.csv",
    "refunds": "refunds.csv",
    "cancellations": "cancellations.csv",
    "ad_spend": "ad_spend.csv",
    "paid_audience_days": "paid_audience_days.csv",
    "people": "people.csv",
    "merges": "merges.csv",
    "mparticle": "mparticle.jsonl",
    "mparticle_audiences": "mparticle_audiences.csv",
}
"""The world's file for each feed, beside the webhooks."""


class _Vendor(NamedTuple):
    """A stand-in, made from its store and the world, and how a destination sends to it."""

    create_app: Callable[[Path, WorldSettings], Control]
    settings: Callable[[str], dict[str, str]]


def _alone(create_app: Callable[..., Control]) -> Callable[[Path, WorldSettings], Control]:
    """A stand-in that needs to know nothing of the world."""
    return lambda store, _world: create_app(store=store)


VENDORS = {
    "amplitude": _Vendor(_alone(amplitude.create_app), amplitude.settings),
    # Customer.io and Klaviyo must know the people already: the one ignores members whom it does
    # not, and for the other no profile is made
    "customerio": _Vendor(
        lambda store, world: customerio_track.create_app(
            store=store, workspace=settle_workspace(world)
        ),
        customerio_track.settings,
    ),
    "google": _Vendor(_alone(google_data_manager.create_app), google_data_manager.settings),
    "klaviyo": _Vendor(
        lambda store, world: klaviyo.create_app(store=store, people=klaviyo.settle_profiles(world)),
        klaviyo.settings,
    ),
    "meta": _Vendor(_alone(meta.create_app), meta.settings),
    "mixpanel": _Vendor(_alone(mixpanel.create_app), mixpanel.settings),
    "segment": _Vendor(_alone(segment.create_app), segment.settings),
    "slack": _Vendor(_alone(slack.create_app), slack.settings),
    "tiktok": _Vendor(_alone(tiktok.create_app), tiktok.settings),
    "webhook": _Vendor(_alone(webhook.create_app), webhook.settings),
}
"""The destinations of the demo, beside its folder of files: every sync that is shipped runs."""


@dataclass(frozen=True)
class DemoSettings:
    """What the demo is made of.

    Attributes:
        folder: The demo's room; everything it writes is in there.
        people: How many people the world has.
        seed: Its seed.
    """

    folder: Path
    people: int
    seed: int


@dataclass(frozen=True)
class Demo:
    """What one run of the demo came to."""

    events: int
    people: int
    audiences: tuple[Audience, ...]
    lifts: tuple[Lift, ...]
    runs: tuple[SyncRun, ...]
    report: Path

    @property
    def planned(self) -> int:
        """Rows planned, all syncs together."""
        return sum(run.plan.changes for run in self.runs if run.plan is not None)

    @property
    def accepted(self) -> int:
        """Rows accepted, all syncs together."""
        return sum(run.accepted for run in self.runs)

    @property
    def too_small(self) -> tuple[SyncRun, ...]:
        """Syncs held by the guard `size` alone: a small world has lists no platform would take."""
        return tuple(
            run
            for run in self.runs
            if run.state == "held" and all(found.guard == "size" for found in run.findings)
        )

    @property
    def is_ok(self) -> bool:
        """Whether every sync did what it was to do; to hold a list that is too small is that."""
        return all(run.state == "done" or run in self.too_small for run in self.runs)

    def to_json(self) -> dict[str, Any]:
        """The summary, for a script."""
        return {
            "events": self.events,
            "people": self.people,
            "audiences": {audience.name: audience.people for audience in self.audiences},
            "lift": [asdict(lift) for lift in self.lifts],
            "planned": self.planned,
            "accepted": self.accepted,
            "syncs": [run.to_json() for run in self.runs],
            "report": str(self.report),
        }


def run_demo(
    settings: DemoSettings,
    *,
    on_step: Callable[[str], None],
    on_progress: Callable[[int, int, str], None],
) -> Demo:
    """Generate, load, build, publish, plan, deliver and report.

    Args:
        settings: The room and the world.
        on_step: Told each step, in words.
        on_progress: Told of nodes built: done, in all, and which.

    Returns:
        What it came to.

    Raises:
        CioError: A step failed.
    """
    home = Home(settings.folder)
    home.make()
    on_step(f"a world of {settings.people:,} people, from seed {settings.seed}")
    world, as_of = _world(settings)
    loaded = load_world(home, world, as_of)
    on_step(f"{loaded:,} new rows loaded")
    project = Project(
        home=home,
        company=project_root() / "fakes" / "company",
        variables={
            "as_of": as_of.isoformat(),
            "paid_audience_campaigns": {paid.CAMPAIGN: paid.AUDIENCE},
        },
    )
    on_step("building and testing the models, then publishing them")
    build(project, on_progress=on_progress)
    on_step("planning, and delivering what changed")
    room = Room(home=home, manifest=current_manifest(project))
    with stand_ins(home, _wanted(settings)):
        runs = tuple(run_syncs(room))
        syncs = status(room)
    facts = _facts(room, world, syncs=syncs)
    report = write_page(facts, home.root / "report.html")
    return Demo(
        events=facts.events,
        people=facts.people,
        audiences=facts.audiences,
        lifts=facts.lifts,
        runs=runs,
        report=report,
    )


def _world(settings: DemoSettings) -> tuple[Path, datetime]:
    """The world's files; one of the same people and seed is there already and stays as it is."""
    wanted = _wanted(settings)
    folder = settings.folder / f"world-{settings.people}-{settings.seed}"
    finished = folder / "finished"
    # one of an older version may lack files
    if not finished.exists() or not all((folder / file).exists() for file in FILES.values()):
        generate(wanted, folder)
        finished.touch()
    return folder, wanted.ends_at


def _wanted(settings: DemoSettings) -> WorldSettings:
    return WorldSettings(people=settings.people, seed=settings.seed)


def load_world(home: Home, world: Path, as_of: datetime) -> int:
    """Load the files of a seeded world.

    Args:
        home: Where to.
        world: The folder of the files.
        as_of: Until when the feeds are whole.

    Returns:
        New rows.
    """
    reports = [load(home, "webhooks", [str(world / "webhooks")], complete_through=as_of)]
    for feed, file in FILES.items():
        reports.append(load(home, feed, [str(world / file)], complete_through=as_of))
    return sum(report.loaded for report in reports)


def _facts(room: Room, world: Path, *, syncs: list[Any]) -> Facts:
    manifest = json.loads(room.manifest.read_text(encoding="utf-8"))
    truth = json.loads((world / "truth.json").read_text(encoding="utf-8"))
    with read_published(room.home) as published:
        return read_facts(published, manifest=manifest, syncs=syncs, truth=truth)


@contextmanager
def stand_ins(home: Home, world: WorldSettings) -> Iterator[None]:
    """Serve the stand-ins and point the syncs to them, and to nothing else, while this runs.

    Args:
        home: Where they keep what they accepted, and their ports, which syncs remember; files are
            written to its folder `files`.
        world: The world whose Customer.io workspace there is.
    """
    folder = home.root / "fakes"
    folder.mkdir(exist_ok=True)
    before = dict(os.environ)
    try:
        with ExitStack() as stack:
            for name, vendor in VENDORS.items():
                address = stack.enter_context(_stand_in(name, vendor, folder, world))
                for key, value in vendor.settings(address).items():
                    os.environ[variable(name, key)] = value
            os.environ[variable("files", "base_url")] = (home.root / "files").resolve().as_uri()
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _stand_in(name: str, vendor: _Vendor, folder: Path, world: WorldSettings) -> Iterator[str]:
    """One stand-in. A sync remembers where it sent: the port is chosen once and kept."""
    file = folder / f"{name}.port"
    port = _port(file)
    app = vendor.create_app(folder / f"{name}.ndjson", world)
    with ExitStack() as stack:
        try:
            address = stack.enter_context(serve_in_thread(app, port=port))
        except OSError as error:
            message = (
                f"the stand-in of {name} cannot listen on port {port}: {error.strerror}. Another "
                f"demo may be running; else remove {file} to choose another port."
            )
            raise CioError(message) from error
        yield address


def _port(file: Path) -> int:
    if not file.exists():
        with socket.socket() as listener:
            listener.bind((LOOPBACK, 0))
            file.write_text(str(listener.getsockname()[1]), encoding="utf-8")
    return int(file.read_text(encoding="utf-8"))
