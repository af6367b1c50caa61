"""The ten most likely ways to be set up wrong, each with numbers from the warehouse.

What `cio audiences check` refuses in a definition is asked here again with what it costs: how many
people are in it, and how long what should be quick takes.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb

from cio.audiences import Audience, check, parse_window
from warehouse.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync
    from warehouse.connection import Published

FEW_OPENS = 200
"""Of so many opened messages some are opened twice, unless only the first open is reported."""
FEW_GAPS = 50
MOST_DIAGNOSTIC = 0.5
_WEEK_HOURS = 168
ACTIVATION = ("clicked", "converted", "unsubscribed", "subscription_preferences_changed")
_LAPSE = re.compile(r"overdue|lapsed|winback|replenish|second_order")
_STAGING = re.compile(r"(?i)(^|[^a-z])(staging|sandbox|stage|dev|test)([^a-z]|$)")
_OWNERS = ("owner", "monitor", "next_action_owner")
_NOBODY = frozenset(["", "none", "nobody", "todo", "tbd", "unknown", "null"])


@dataclass(frozen=True)
class Diagnosis:
    """Something that is wrong.

    Attributes:
        check: Which of the ten.
        subject: Where: an audience, a sync, a check of identity.
        detail: What was seen, with numbers.
        mend: What to do.
    """

    check: str
    subject: str
    detail: str
    mend: str

    def to_json(self) -> dict[str, str]:
        """The diagnosis as JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class Patient:
    """What is looked at.

    Attributes:
        audiences: The audiences as they are defined.
        syncs: The syncs, and where each sends.
        published: The newest published build.
        sizes: People by audience, by that build.
    """

    audiences: Sequence[Audience]
    syncs: Sequence[tuple[Sync, Target]]
    published: Published
    sizes: Mapping[str, int] = field(default_factory=dict)

    def rows(self, layer: str, name: str, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query over one table of the build, `{table}` in it; none where it is not."""
        table = self.published.table(layer, name)
        try:
            return self.published.connection.execute(query.format(table=table)).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException):
            # a build of an older version lacks the table or a column
            return []

    def people(self, audience: str) -> str:
        """How many are in an audience, in words."""
        return f"{self.sizes[audience]:,} people" if audience in self.sizes else "people unknown"


def examine(
    audiences: Sequence[Audience], syncs: Sequence[tuple[Sync, Target]], published: Published
) -> list[Diagnosis]:
    """Look for each of the ten.

    Args:
        audiences: The audiences of the manifest.
        syncs: The syncs, and where each sends.
        published: The newest published build.

    Returns:
        What is wrong, in the order of `CHECKS`.
    """
    patient = Patient(audiences, syncs, published)
    rows = patient.rows("operations", "audience_sizes", "select audience, people from {table}")
    patient = Patient(audiences, syncs, published, dict(rows))
    return [found for look in CHECKS.values() for found in look(patient)]


def _identity(patient: Patient) -> Iterator[Diagnosis]:
    rows = patient.rows(
        "operations",
        "identity_health",
        "select check_name, subject, affected, total, share, threshold from {table} "
        "where status = 'over' order by check_name, subject",
    )
    for name, subject, affected, total, share, threshold in rows:
        yield Diagnosis(
            "identity_mismatch",
            f"{name}: {subject}",
            f"{affected:,} of {total:,} ({share:.1%}), where {threshold:.1%} are allowed",
            "Make the key the same in both systems; do not filter around it. `cio explain` shows "
            "one person's identifiers.",
        )


def _resolution(patient: Patient) -> Iterator[Diagnosis]:
    rows = patient.rows(
        "marts",
        "message_events",
        "select count(*), count(*) filter (where opens > 1) from (select delivery_id, "
        "count(*) as opens from {table} where metric = 'opened' and delivery_id is not null "
        "group by delivery_id) as opened",
    )
    for opened, again in rows:
        if opened >= FEW_OPENS and again == 0:
            yield Diagnosis(
                "full_resolution_off",
                "reporting webhooks",
                f"{opened:,} messages were opened and none of them twice: only first opens come",
                "Let the reporting webhook send all opens and clicks (full resolution), in its "
                "settings in Customer.io.",
            )


def _refused(rule: str, name: str) -> Callable[[Patient], Iterator[Diagnosis]]:
    """A rule of definitions, with how many people it concerns."""

    def look(patient: Patient) -> Iterator[Diagnosis]:
        for finding in check(patient.audiences):
            if finding.rule == rule:
                yield Diagnosis(
                    name,
                    finding.audience,
                    f"{patient.people(finding.audience)}: {finding.message}",
                    "Mend its SQL, then `cio audiences bump`.",
                )

    return look


def _opens_only(patient: Patient) -> Iterator[Diagnosis]:
    for rule in ("opens", "opens_activated"):
        yield from _refused(rule, "opens_only_audience")(patient)


def _owners(patient: Patient) -> Iterator[Diagnosis]:
    for audience in patient.audiences:
        missing = [key for key in _OWNERS if str(audience.meta.get(key) or "").lower() in _NOBODY]
        if missing:
            yield Diagnosis(
                "no_owner",
                audience.name,
                f"{patient.people(audience.name)} and nobody as {', '.join(missing)}",
                f"Name somebody in {audience.file}.",
            )
    for sync, _ in patient.syncs:
        if str(sync.owner or "").lower() in _NOBODY:
            yield Diagnosis(
                "no_owner", sync.name, "a sync of nobody's", f"Name one in {sync.path}."
            )


def _exports(patient: Patient) -> Iterator[Diagnosis]:
    for sync, target in patient.syncs:
        if sync.mode != "append" or "metric" in sync.filter or target.inactive is not None:
            continue
        kept = ", ".join(f"'{metric}'" for metric in ACTIVATION)
        rows = patient.rows(
            "outbound",
            sync.model,
            f"select count(*), count(*) filter (where metric not in ({kept})) from {{table}}",  # noqa: S608 - our own metrics
        )
        for events, diagnostic in rows:
            if events and diagnostic / events > MOST_DIAGNOSTIC:
                yield Diagnosis(
                    "over_exporting",
                    sync.name,
                    f"{diagnostic:,} of {events:,} events ({diagnostic / events:.0%}) are of "
                    "metrics that nobody acts on",
                    f"Start tight: `filter: {{metric: [clicked, unsubscribed]}}` in {sync.path}.",
                )


def _cycles(patient: Patient) -> Iterator[Diagnosis]:
    rows = patient.rows(
        "marts",
        "orders",
        "select count(*), median(days) from (select date_diff('day', lag(ordered_at) over ("
        "partition by person_id order by ordered_at), ordered_at) as days from {table}) as gaps "
        "where days > 0",
    )
    gaps, usual = rows[0] if rows else (0, None)
    if gaps < FEW_GAPS or usual is None:
        return
    for audience in patient.audiences:
        window = parse_window(str(audience.meta.get("window", "")))
        begins = None if window is None else window.after_hours
        # hours after a click are no buying cycle
        if (
            not begins
            or begins < _WEEK_HOURS
            or not _LAPSE.search(f"{audience.name} {audience.meta.get('purpose')}")
        ):
            continue
        days = begins / 24
        if not usual / 2 <= days <= usual * 3:
            yield Diagnosis(
                "window_against_buying_cycle",
                audience.name,
                f"begins after {days:g} days; half of {gaps:,} repeat orders came within "
                f"{usual:g} days",
                "Set its window by product_cycles.csv and buying_cycles.csv, or say why not.",
            )


def _latency(patient: Patient) -> Iterator[Diagnosis]:
    rows = patient.rows(
        "operations",
        "sync_latency",
        "select sync, max(greatest(coalesce(event_to_accepted_p95_seconds, 0), "
        "coalesce(built_to_accepted_p95_seconds, 0))) / 3600 from {table} "
        "where accepted_on >= (select max(accepted_on) - 7 from {table}) group by sync",
    )
    taken = dict(rows)
    audiences = {audience.name: audience for audience in patient.audiences}
    for sync, _ in patient.syncs:
        hours = taken.get(sync.name)
        if hours is None or sync.mode == "append" or sync.use == "analyse":
            continue
        for name in sync.filter.get("audience", ()):
            window = (
                parse_window(str(audiences[name].meta.get("window", "")))
                if (name in audiences)
                else None
            )
            if window is not None and window.hours is not None and window.hours < hours:
                yield Diagnosis(
                    "latency_against_use",
                    f"{sync.name}: {name}",
                    f"a window of {window.hours:g} h, and 95 of 100 changes are there after "
                    f"{hours:.1f} h",
                    "Decide this in Customer.io, run more often, or take a longer window.",
                )


def _staging(patient: Patient) -> Iterator[Diagnosis]:
    build = patient.published.build
    for sync, target in patient.syncs:
        if target.inactive is not None:
            continue
        texts = [
            str(value)
            for value in vars(target.settings).values()
            if value and not isinstance(value, Secret)
        ]
        odd = sorted({text for text in texts if _STAGING.search(text)})
        detail = None
        if build.target == "prod" and target.is_loopback:
            detail = "the build is for prod, and it sends to a stand-in on this machine"
        elif build.target == "prod" and odd:
            detail = f"the build is for prod, and a setting of {sync.destination} says {odd[0]}"
        elif build.target != "prod" and not target.is_loopback:
            detail = f"the build is for {build.target}, and it would send to {sync.destination}"
        if detail is not None:
            yield Diagnosis(
                "staging_credentials",
                sync.name,
                detail,
                f"Set [reverse_etl.{sync.destination}] for this machine, and build with --target.",
            )


CHECKS: dict[str, Callable[[Patient], Iterator[Diagnosis]]] = {
    "identity_mismatch": _identity,
    "full_resolution_off": _resolution,
    "opens_only_audience": _opens_only,
    "no_purchase_exclusion": _refused("purchases", "no_purchase_exclusion"),
    "names_as_logic": _refused("names", "names_as_logic"),
    "no_owner": _owners,
    "over_exporting": _exports,
    "window_against_buying_cycle": _cycles,
    "latency_against_use": _latency,
    "staging_credentials": _staging,
}
"""The ten, by name."""
