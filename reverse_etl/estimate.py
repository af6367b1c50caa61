"""What a plan costs, and what it is to be read with: samples, guards, the month's budget."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import duckdb

from reverse_etl.http import Http
from warehouse.errors import CioError

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.contract import Limits
    from reverse_etl.plan import SyncPlan
    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync

SAMPLES = 3
_MINUTE = 60
_HOUR = 3600


def estimate(plan: SyncPlan, sync: Sync, target: Target, rows: Path) -> SyncPlan:
    """Add to a plan what it costs, and keys to look its rows up by; nothing is sent.

    Args:
        plan: The plan.
        sync: Its sync.
        target: Where it sends.
        rows: Its rows, a parquet file.

    Returns:
        The plan with `samples`, and unless it is inactive with `calls` and `seconds`.
    """
    plan = replace(plan, samples=_samples(rows))
    limits = None if target.inactive else _limits(sync, target)
    if limits is None:
        return plan
    most = min(limits.records, sync.delivery.records_per_request or limits.records)
    removals = min(most, limits.removals or most)
    calls = ceil((plan.adds + plan.updates) / most) + ceil(plan.removes / removals)
    rates = [r for r in (limits.records_per_second, sync.delivery.records_per_second) if r]
    requests = sync.delivery.requests_per_second or limits.requests_per_second
    waits = [plan.changes / min(rates)] if rates else []
    waits += [calls / requests] if requests else []
    return replace(plan, calls=calls, seconds=max(waits, default=None))


def _limits(sync: Sync, target: Target) -> Limits | None:
    try:
        with Http(target.url) as http:
            return target.kind.open(target.settings, sync.options, http).limits
    except CioError:
        return None  # a run would say what is wrong; a plan needs no credentials that work


def _samples(rows: Path) -> dict[str, tuple[str, ...]]:
    with duckdb.connect() as connection:
        found = connection.execute(
            "select operation, list(record_key order by record_key)[:$most] "
            "from read_parquet($rows) group by operation order by operation",
            {"rows": str(rows), "most": SAMPLES},
        ).fetchall()
    return {operation: tuple(keys) for operation, keys in found}


def duration(seconds: float | None) -> str:
    """A time for people: `40 s`, `12 min`, `3.5 h`; empty if there is none."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f"{ceil(seconds)} s"
    return f"{ceil(seconds / _MINUTE)} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"


def notes(plan: SyncPlan) -> list[str]:
    """What somebody who reads the plan must know beside its counts, a line each; no keys."""
    if plan.inactive:
        return [f"inactive: {plan.inactive}"]
    lines = ["carries its canary alone; everybody else waits"] if plan.is_canary else []
    if plan.replaced:
        lines.append(f"replaces whole, with whatever else is in them: {', '.join(plan.replaced)}")
    if plan.monthly_rows is not None:
        sends = plan.adds + plan.updates
        lines.append(
            f"{plan.past.sent_this_month:,} rows sent to {plan.destination} this month and "
            f"{sends:,} planned, of {plan.monthly_rows:,}"
        )
    for finding in plan.findings:
        word = "would be forced past" if finding.is_forced else "would be held back by"
        lines.append(f"{word} guard {finding.guard}: {finding.message}")
    return lines
