"""Planning a sync: what would be sent, and why the rest is left out. Nothing but reads."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reverse_etl.compare import CANARY, NO_IDENTIFIER, How, compare
from reverse_etl.definitions import carried_definitions, changed_definitions
from reverse_etl.exclusions import columns_of
from reverse_etl.journal import run_folders
from reverse_etl.labels import count_labels
from reverse_etl.lock import Patience, warehouse_in_turn
from reverse_etl.past import Past, read_past
from reverse_etl.record import forget_payloads, land_into
from reverse_etl.replacement import chosen_lists
from reverse_etl.scope import scope_of
from reverse_etl.state import remove_state, write_state
from warehouse.connection import PublishedReader
from warehouse.definitions import LOCK, read_lock
from warehouse.errors import UsageError
from warehouse.home import project_root
from warehouse.known_people import people_known_as
from warehouse.stop_list import opted_out, stop_list_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from reverse_etl.contract import Mode, Use
    from reverse_etl.guards import Finding
    from reverse_etl.journal import RunFolder
    from reverse_etl.labels import LabelCount
    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync
    from warehouse.builds import Build
    from warehouse.connection import Published
    from warehouse.home import Home

LEFT_OUT = "left_out: "


@dataclass(frozen=True)
class SyncPlan:
    """What one sync would send.

    Attributes:
        name: The sync.
        destination: Where to.
        use: What for.
        mode: How it is kept.
        adds: Rows to add, or events to append.
        updates: Rows to send again because they changed.
        removes: Rows to take away.
        left_out: Rows that are wanted and not sent, by reason.
        wanted: Rows that are wanted and may be sent.
        considered: Rows of the outbound model that are the sync's, those left out among them.
        held: Rows the destination has, by the receipts.
        labels: What is wanted and in place, label by label.
        build: The build they come from.
        watermarks: Until when the feeds that the sync names are whole.
        past: The runs before.
        is_canary: Only the sync's canary people are planned.
        findings: Guards that do not hold, where somebody asked.
        monthly_rows: Most rows a month that the destination is to be sent, if somebody said so.
        changed_definitions: Audiences it carries that were built with a logic that their version
            does not stand for, in words.
        samples: Keys of the first rows of each operation.
        calls: Requests that it takes at least, if every one is as full as the vendor allows.
        seconds: How long it takes at least at the vendor's rate, or nothing if there is none.
        replaced: Labels of the lists that are replaced whole, unless a guard holds something back.
        inactive: Why the sync cannot run, if it cannot: there are no credentials.
    """

    name: str
    destination: str
    use: Use
    mode: Mode
    adds: int
    updates: int
    removes: int
    left_out: Mapping[str, int]
    wanted: int
    held: int
    build: Build
    considered: int = 0
    labels: tuple[LabelCount, ...] = ()
    watermarks: Mapping[str, datetime | None] = field(default_factory=dict)
    past: Past = field(default_factory=lambda: Past(None))
    is_canary: bool = False
    findings: tuple[Finding, ...] = ()
    monthly_rows: int | None = None
    changed_definitions: tuple[str, ...] = ()
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calls: int | None = None
    seconds: float | None = None
    replaced: tuple[str, ...] = ()
    inactive: str | None = None

    @property
    def changes(self) -> int:
        """Rows planned."""
        return self.adds + self.updates + self.removes

    @property
    def waiting(self) -> int:
        """Rows that wait for the canary to pass."""
        return self.left_out.get(CANARY, 0)

    @property
    def identified_share(self) -> float | None:
        """The share of the rows that name somebody at the destination; nothing without rows."""
        nobody = self.left_out.get(NO_IDENTIFIER, 0)
        return None if self.considered == 0 else 1 - nobody / self.considered

    def to_json(self) -> dict[str, Any]:
        """The plan as `cio sync plan --json` gives it."""
        return {
            "name": self.name,
            "destination": self.destination,
            "use": self.use,
            "adds": self.adds,
            "updates": self.updates,
            "removes": self.removes,
            "left_out": dict(self.left_out),
            "is_active": self.inactive is None,
            "is_canary": self.is_canary,
            "identified_share": self.identified_share,
            "sent_this_month": self.past.sent_this_month,
            "monthly_rows": self.monthly_rows,
            "replaced": list(self.replaced),
            "samples": {operation: list(keys) for operation, keys in self.samples.items()},
            "calls": self.calls,
            "seconds": self.seconds,
            "guards": [
                {"guard": f.guard, "message": f.message, "forced": f.is_forced}
                for f in self.findings
            ],
        }


@dataclass(frozen=True)
class Asked:
    """What a caller asks of a plan or a run beyond the configuration.

    Attributes:
        is_retry: Rows refused before are planned once more.
        target: The dbt target whose build is expected; any if nothing.
        force: Guards forced by name.
    """

    is_retry: bool = False
    target: str | None = None
    force: tuple[str, ...] = ()


@contextmanager
def open_published(home: Home) -> Iterator[PublishedReader]:
    """Open what plans are made from, for all syncs of a command.

    What they take of memory is bounded together: past it they spill beside the journals, not where
    they run. Each takes one thread, for two took 1.6 times what one takes of the processor.

    Args:
        home: The home.
    """
    home.journals.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.journals, prefix=".spill-") as spill:
        bounds = {"memory_limit": "3GB", "threads": 1, "temp_directory": spill}
        with PublishedReader(home, bounds) as reader:
            yield reader


def plan_sync(  # noqa: PLR0913 - what a plan is made of
    reader: PublishedReader,
    sync: Sync,
    target: Target,
    folder: RunFolder,
    asked: Asked,
    *,
    now: datetime,
    is_held: bool = False,
    patience: Patience | None = None,
) -> SyncPlan:
    """Plan one sync into a run's folder, once its earlier journals are landed.

    The newest build must have been published before.

    Args:
        reader: Of what is published, as `open_published` gives it.
        sync: The sync.
        target: Where it sends.
        folder: Gets `plan.parquet`.
        asked: What the caller asks.
        now: The present, naive UTC: whom the clock alone removes leaves on time, whenever the
            newest build was. A build as of a given instant is taken as of then.
        is_held: The caller holds the sync.
        patience: How long to wait for the warehouse, shared by the syncs of a command.

    Returns:
        The plan, its rows in the folder.

    Raises:
        CioError: Nothing is published, or the outbound model is not as the sync needs it.
        UsageError: The newest build is for another target.
    """
    home = reader.home
    scope = scope_of(target.fingerprint(sync))
    earlier = run_folders(home, sync.name)
    try:
        with reader.read() as published:
            _check_target(published.build, asked.target)
            with warehouse_in_turn(home, "read the receipts of syncs", patience) as warehouse:
                landed = land_into(warehouse, home, earlier, held=[sync.name] if is_held else [])
                past = read_past(
                    warehouse,
                    sync=sync.name,
                    destination=sync.destination,
                    scope=scope,
                    now=now,
                )
                state = write_state(
                    warehouse, home, folder.path, sync=sync.name, mode=sync.mode, scope=scope
                )
            forget_payloads(landed)
            how = _how(sync, target, published.build, asked, now)
            canary = _canary(sync, past, asked)
            how = how._replace(
                canary=canary,
                # a list of the canary alone would be all that is left of it
                replace_before=None if canary else how.replace_before,
                opted_out=_opted_out(home, sync, published),
            )
            counts = compare(published, sync, how, state=state, plan=folder.plan)
            labels = count_labels(published)
            replaced = () if how.replace_before is None else chosen_lists(published)
            watermarks = _watermarks(published, sync.guards.feeds)
            build = published.build
            built = carried_definitions(published, sync)
    finally:
        remove_state(folder.path)
    return SyncPlan(
        name=sync.name,
        destination=sync.destination,
        use=sync.use,
        mode=sync.mode,
        adds=counts.get("add", 0) + counts.get("append", 0),
        updates=counts.get("update", 0),
        removes=counts.get("remove", 0),
        left_out={
            key.removeprefix(LEFT_OUT): counts[key]
            for key in sorted(counts)
            if key.startswith(LEFT_OUT) and counts[key]
        },
        wanted=counts["wanted"],
        considered=counts["considered"],
        held=counts["held"],
        labels=labels,
        build=build,
        watermarks=watermarks,
        past=past,
        is_canary=bool(how.canary),
        monthly_rows=target.monthly_rows,
        changed_definitions=changed_definitions(built, read_lock(project_root() / LOCK)),
        replaced=replaced,
        inactive=target.inactive,
    )


def _canary(sync: Sync, past: Past, asked: Asked) -> tuple[str, ...]:
    """The people that alone are planned; none once they have passed, or were passed over."""
    return () if past.has_passed or "canary" in asked.force else sync.canary


def _opted_out(home: Home, sync: Sync, published: Published) -> frozenset[str]:
    """Who opted out since the build, under whatever name: they leave what activates them."""
    if sync.use != "activate":
        return frozenset()
    build = published.build
    hashes = opted_out(stop_list_path(home), build.started_at, topic=sync.topic)
    return frozenset(people_known_as(home, published.path, build.schema_prefix, hashes))


def _how(sync: Sync, target: Target, build: Build, asked: Asked, now: datetime) -> How:
    kind = target.kind
    built_at = build.as_of or build.started_at
    renew_before = None
    if kind.renew_after_days is not None:
        renew_before = built_at - timedelta(days=kind.renew_after_days(sync.options))
    hours = sync.delivery.oldest_hours
    return How(
        is_retry=asked.is_retry,
        is_repeatable=kind.is_repeatable,
        unique_keys=() if kind.match_keys is None else kind.match_keys.unique,
        renew_before=renew_before,
        replace_before=now - timedelta(days=sync.delivery.replace_after_days)
        if sync.mode == "replace"
        else None,
        now=None if build.is_as_of_given else now,
        oldest=None if hours is None else built_at - timedelta(hours=hours),
    )


def _check_target(build: Build, expected: str | None) -> None:
    if expected is not None and build.target != expected:
        message = (
            f"the newest published build is for the target {build.target}, not {expected}. "
            f"Run `cio build --target {expected}`."
        )
        raise UsageError(message)


def _watermarks(published: Published, feeds: tuple[str, ...]) -> dict[str, datetime | None]:
    """Until when feeds are whole, where the build says so (`operations.source_freshness`)."""
    columns = columns_of(published, "operations", "source_freshness")
    if not feeds or not {"feed", "complete_through"} <= columns:
        return dict.fromkeys(feeds)
    table = published.table("operations", "source_freshness")
    rows = published.connection.execute(
        f"select feed, max(complete_through) from {table} "  # noqa: S608 - a name of the build
        "where list_contains($feeds, feed) group by feed",
        {"feeds": list(feeds)},
    ).fetchall()
    return dict.fromkeys(feeds) | dict(rows)
