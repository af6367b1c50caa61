"""Guards: what must hold before anything is sent.

What a sync is for decides what is dangerous. To add to an activating sync is, and to remove from a
suppressing one; suppressions and opt-outs are held back by no guard that doubts the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

import orjson

from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reverse_etl.contract import Operation, Use
    from reverse_etl.plan import SyncPlan
    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync

Guard: TypeAlias = Literal[
    "size",
    "change",
    "staleness",
    "settings",
    "target",
    "identity",
    "canary",
    "budget",
    "fan_out",
    "definition",
]

FEW_ROWS = 100
"""A change of so few rows is not held back, whatever its share: small audiences change in leaps."""

FORCEABLE: tuple[Guard, ...] = (
    *("size", "change", "staleness", "settings"),
    *("identity", "canary", "budget", "fan_out", "definition"),
)
_SENDS: frozenset[Operation] = frozenset(["append", "add", "update"])
_REMOVALS: frozenset[Operation] = frozenset(["remove"])
_ALL = _SENDS | _REMOVALS
_DANGEROUS: Mapping[Use, frozenset[Operation]] = {
    "activate": _SENDS,
    "suppress": _REMOVALS,
    "analyse": _ALL,
}


@dataclass(frozen=True)
class Finding:
    """A guard that does not hold.

    Attributes:
        guard: Which.
        message: What is wrong, and the way out.
        holds: The operations it holds back.
        is_absolute: It holds back opt-outs too: the rows would go to the wrong place.
        is_forced: It was forced, so it holds nothing back.
    """

    guard: Guard
    message: str
    holds: frozenset[Operation]
    is_absolute: bool = False
    is_forced: bool = False


def check_force(force: Sequence[str]) -> None:
    """See that only guards that may be forced are.

    Raises:
        UsageError: One may not, or is none.
    """
    for name in force:
        if name not in FORCEABLE:
            message = f"--force {name}: allowed are {', '.join(FORCEABLE)}"
            raise UsageError(message)


@dataclass(frozen=True)
class Company:
    """The syncs beside the one whose guards are evaluated.

    Attributes:
        activating: The destinations of active activating syncs, in the order in which they go.
        under_way: Rows that other runs are sending to the same destination right now.
    """

    activating: tuple[str, ...] = ()
    under_way: int = 0


def evaluate(  # noqa: PLR0913 - what guards look at
    sync: Sync,
    plan: SyncPlan,
    target: Target,
    *,
    now: datetime,
    force: Sequence[str] = (),
    company: Company | None = None,
) -> list[Finding]:
    """Evaluate every guard of a sync.

    Args:
        sync: The sync.
        plan: Its plan.
        target: Where it sends.
        now: The present, naive UTC.
        force: Guards forced by name.
        company: The syncs beside it.

    Returns:
        The guards that do not hold, those forced among them.
    """
    company = company or Company()
    found = [
        *_target(plan, target),
        *_settings(sync, plan, target),
        *_staleness(sync, plan, target, now),
        *_size(sync, plan),
        *_change(sync, plan),
        *_identity(sync, plan),
        *_canary(sync, plan),
        *_budget(sync, plan, target, company),
        *_fan_out(sync, plan, company),
        *_definition(sync, plan),
    ]
    return [
        Finding(f.guard, f.message, f.holds, f.is_absolute, is_forced=f.guard in force)
        for f in found
    ]


def _target(plan: SyncPlan, target: Target) -> list[Finding]:
    build = plan.build
    if target.is_loopback or (build.target == "prod" and not build.is_as_of_given):
        return []
    what = "a build with a given as_of" if build.is_as_of_given else f"target {build.target}"
    message = f"{what} may only be sent to loopback. Build for prod, without as_of: `cio build`."
    return [Finding("target", message, _ALL, is_absolute=True)]


def _settings(sync: Sync, plan: SyncPlan, target: Target) -> list[Finding]:
    before = plan.past.settings_fingerprint
    if before is None:
        return []
    old, new = orjson.loads(before), orjson.loads(target.fingerprint(sync))
    changed = sorted(key for key in new if key != "scope" and old.get(key) != new[key])
    if not changed:
        return []
    message = (
        f"{', '.join(changed)} differ from the last run's. If that is meant, --force settings: "
        "what was sent elsewhere is planned again from the start, and is not removed there."
    )
    return [Finding("settings", message, _ALL, is_absolute=True)]


def _staleness(sync: Sync, plan: SyncPlan, target: Target, now: datetime) -> list[Finding]:
    limit = sync.guards.max_age_hours
    if limit is None or (plan.build.is_as_of_given and target.is_loopback):
        return []
    instants = {"the build": plan.build.as_of or plan.build.started_at}
    instants |= {f"feed {feed}": mark for feed, mark in plan.watermarks.items() if mark is not None}
    old = [
        f"{what} is {(now - instant) / timedelta(hours=1):.1f} h old"
        for what, instant in instants.items()
        if now - instant > timedelta(hours=limit)
    ]
    if not old:
        return []
    message = f"{' and '.join(old)}; allowed are {limit:g} h. Load and build again."
    return [Finding("staleness", message, _DANGEROUS[sync.use])]


def _size(sync: Sync, plan: SyncPlan) -> list[Finding]:
    if sync.guards.expected_rows is None:
        return _collapse(plan)
    least, most = sync.guards.expected_rows
    rows = (plan.adds if sync.mode == "append" else plan.wanted) + plan.waiting
    if least <= rows <= most:
        return []
    what = "events to send" if sync.mode == "append" else "rows wanted"
    message = f"{rows} {what}, outside the expected {least} to {most}."
    # too few is as suspect as too many: whom a broken model lost must not be removed either
    holds = _REMOVALS if sync.use == "suppress" else _ALL
    return [Finding("size", message, holds)]


def _collapse(plan: SyncPlan) -> list[Finding]:
    """An empty model would take everybody away, whatever the sync is for."""
    if plan.considered or plan.removes <= FEW_ROWS:
        return []
    message = (
        f"the model has no row for this sync, and {plan.removes} would be removed: a source that "
        "broke looks like that. If it is meant, --force size; guards.expected_rows: [0, …] allows "
        "it for good."
    )
    return [Finding("size", message, _REMOVALS)]


def _change(sync: Sync, plan: SyncPlan) -> list[Finding]:
    limit = sync.guards.max_change_share
    if limit is None or plan.held == 0 or sync.mode == "append":
        return []
    if sync.canary and not plan.past.has_carried_all:
        return []  # what is there is the canary's: everybody else is the first run's
    counts = {"adds": plan.adds, "removes": plan.removes}
    dangerous = {
        "activate": ("adds",),
        "suppress": ("removes",),
        "analyse": ("adds", "removes"),
    }[sync.use]
    over = [
        f"{counts[kind]} {kind} are {counts[kind] / plan.held:.0%}"
        for kind in dangerous
        if counts[kind] > max(limit * plan.held, FEW_ROWS)
    ]
    if not over:
        return []
    message = f"{' and '.join(over)} of the {plan.held} rows there; allowed are {limit:.0%}."
    return [Finding("change", message, _DANGEROUS[sync.use])]


def _identity(sync: Sync, plan: SyncPlan) -> list[Finding]:
    least, share = sync.guards.min_identified_share, plan.identified_share
    if least is None or share is None or share >= least:
        return []
    message = (
        f"{share:.1%} of {plan.considered} rows have a {sync.identity}; {least:.1%} must. Mend who "
        "is who first (`operations.identity_health`); no filter here makes up for it."
    )
    # whom a broken join lost their identifier must not be removed for it either
    holds = _REMOVALS if sync.use == "suppress" else _ALL
    return [Finding("identity", message, holds)]


def _canary(sync: Sync, plan: SyncPlan) -> list[Finding]:
    if not sync.canary or plan.past.has_passed:
        return []
    if not plan.is_canary:
        message = "the canary is passed over: everybody is sent before anybody was accepted."
        return [Finding("canary", message, _ALL)]
    if plan.adds + plan.updates:
        return []
    message = (
        f"none of the {len(sync.canary)} canary people is to be sent, so that nothing would show "
        "that the others can be. Name people that the audience has, or `cio sync retry` what was "
        "refused before."
    )
    return [Finding("canary", message, _ALL)]


def _budget(sync: Sync, plan: SyncPlan, target: Target, company: Company) -> list[Finding]:
    limit = target.monthly_rows
    if limit is None or sync.use == "suppress":
        return []
    sent = plan.past.sent_this_month + company.under_way
    planned = plan.adds + plan.updates
    if planned == 0 or sent + planned <= limit:
        return []
    message = (
        f"{sent} rows went to {sync.destination} this month, and {planned} more are over its "
        f"budget of {limit}. Narrow the sync's filter, raise [reverse_etl.monthly_rows], or wait."
    )
    return [Finding("budget", message, _SENDS)]


def _fan_out(sync: Sync, plan: SyncPlan, company: Company) -> list[Finding]:
    """One activating destination first: the others follow once a run of its has been accepted."""
    past = plan.past.activations
    if sync.use != "activate" or any(one.is_verified for one in past.values()):
        return []
    begun = sorted((one.begun, name) for name, one in past.items() if one.begun is not None)
    ready = [name for name in company.activating if name not in past or not past[name].is_idle]
    first = begun[0][1] if begun else next(iter(ready), sync.destination)
    if sync.destination == first:
        return []
    message = (
        f"{first} is the first destination that activates people, and no run of its has been "
        f"accepted yet. Once one has, {sync.destination} follows by itself; to begin with "
        f"{sync.destination}, run it alone with --select."
    )
    return [Finding("fan_out", message, _SENDS)]


def _definition(sync: Sync, plan: SyncPlan) -> list[Finding]:
    if not plan.changed_definitions:
        return []
    message = (
        f"{'; '.join(plan.changed_definitions)}. See whom that lets in and out (`cio diff`), write "
        'it down (`cio audiences bump NAME -m "what changed"`), and `cio build`.'
    )
    return [Finding("definition", message, _REMOVALS if sync.use == "suppress" else _ALL)]


def held_back(findings: Sequence[Finding], operation: str, *, is_exempt: bool) -> str | None:
    """The guard that holds a row back, if any.

    Args:
        findings: What `evaluate` found.
        operation: The row's operation.
        is_exempt: The row removes somebody who opted out or is held out.

    Returns:
        The reason for the row's receipt, or nothing.
    """
    for finding in findings:
        if finding.is_forced or operation not in finding.holds:
            continue
        if finding.is_absolute or not is_exempt:
            return f"guard {finding.guard}"
    return None


def holds_all(plan: SyncPlan, findings: Sequence[Finding]) -> str | None:
    """The guard that leaves nothing of a plan to send, exempt rows included, if any."""
    operations = [("remove", plan.removes), ("add", plan.adds), ("update", plan.updates)]
    planned = [name for name, count in operations if count]
    # removals may be exempt one by one, unless the guard is absolute
    reasons = [held_back(findings, name, is_exempt=name == "remove") for name in planned]
    return reasons[0] if reasons and all(reasons) else None
