"""What the report says, read from a published build and the journals of syncs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from cio.report import queries
from cio.report.changes import Change, Material, find_changes
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from reverse_etl.status import SyncStatus
    from warehouse.connection import Published

LAYERS = ("marts", "audiences", "intermediate", "operations")


@dataclass(frozen=True)
class Lift:
    """One experiment's effect on one metric: the arm against its holdout.

    Attributes:
        experiment: Id of the experiment.
        label: Its name for people.
        arm: The arm; `none` where there is no estimate.
        metric: The metric, a value a person.
        people: People in the arm.
        control_people: People in the holdout.
        mean: Mean of the arm, a person.
        control_mean: Mean of the holdout, a person.
        effect: Their difference, or nothing where the result is refused.
        ci_low: Lower end of its 95 % interval.
        ci_high: Upper end.
        always_low: Lower end of the interval that may be looked at every day, if there is one.
        always_high: Upper end of that.
        p_value: Its two-sided p-value.
        verdict: In a word or two.
        reason: Why.
        window_hours: Hours after the index in which outcomes count.
        truth: The effect that was planted, in a seeded world.
    """

    experiment: str
    label: str
    arm: str
    metric: str
    people: int | None
    control_people: int | None
    mean: float | None
    control_mean: float | None
    effect: float | None
    ci_low: float | None
    ci_high: float | None
    always_low: float | None
    always_high: float | None
    p_value: float | None
    verdict: str
    reason: str
    window_hours: int
    truth: float | None = None


@dataclass(frozen=True)
class Size:
    """How many people an audience had on a day, by which version of its definition."""

    observed_on: date
    version: int
    people: int


@dataclass(frozen=True)
class Audience:
    """An audience: how many are in it now and on the days before, and what is done about them."""

    name: str
    label: str
    people: int
    decision: str
    owner: str
    sizes: tuple[Size, ...] = ()
    expected: tuple[int, int] | None = None
    is_outside: bool = False


@dataclass(frozen=True)
class Pressure:
    """People by how many messages they received in 14 days."""

    messages: int
    people: int
    clickers: int


Rows = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Quality:
    """How far the data may be trusted."""

    feeds: Rows
    volumes: Rows
    identity: Rows
    unclassified: dict[str, int]


@dataclass(frozen=True)
class Facts:
    """Everything on the page."""

    as_of: str
    build_id: str
    days: int
    people: int
    events: int
    deliveries: int
    orders: int
    human_clicks: int
    machine_clicks: int
    human_opens: int
    machine_opens: int
    changes: tuple[Change, ...]
    alerts: Rows
    lifts: tuple[Lift, ...]
    audiences: tuple[Audience, ...]
    pressure: tuple[Pressure, ...]
    doses: Rows
    dose_effects: Rows
    caps: Rows
    tiers: Rows
    paid: Rows
    health: Rows
    quality: Quality
    syncs: tuple[SyncStatus, ...]
    latencies: dict[str, dict[str, Any]]


def read_facts(
    published: Published,
    *,
    manifest: Mapping[str, Any],
    syncs: Sequence[SyncStatus],
    truth: Mapping[str, Any] | None = None,
    days: int = 7,
) -> Facts:
    """Read what the report says.

    Args:
        published: The published build.
        manifest: dbt's manifest of it, for what audiences are for.
        syncs: How the syncs stand.
        truth: The planted effects of a seeded world.
        days: How many days before the build's instant count as lately.

    Returns:
        The facts.

    Raises:
        CioError: The build is of another version and lacks something.
    """
    search(published)
    as_of = published.build.as_of
    if as_of is None:
        message = f"{published.path.name} does not say as of when it was built. Run `cio build`."
        raise CioError(message)
    until = as_of.date()
    spans = {"until": until, "since": until - timedelta(days=days)}
    before = spans | {"before": until - timedelta(days=2 * days)}
    daily = rows(published, queries.LIFT_DAILY)
    sizes = rows(published, queries.SIZES_DAILY)
    alerts = rows(published, queries.ALERTS)
    audiences = _audiences(published, manifest, sizes)
    return Facts(
        as_of=f"{as_of:%Y-%m-%d %H:%M} UTC",
        build_id=published.build.build_id,
        days=days,
        **{name: value or 0 for name, value in rows(published, queries.COUNTS)[0].items()},
        changes=find_changes(
            Material(
                labels={audience.name: audience.label for audience in audiences},
                alerts=alerts,
                lifts=daily,
                sizes=sizes,
                channels=rows(published, queries.CHANNELS, before),
                messages=rows(published, queries.NEW_MESSAGES, spans),
            ),
            since=spans["since"],
        ),
        alerts=alerts,
        lifts=_lifts(published, truth or {}),
        audiences=audiences,
        pressure=tuple(Pressure(**row) for row in rows(published, queries.PRESSURE)),
        doses=rows(published, queries.DOSES),
        dose_effects=rows(published, queries.DOSE_EFFECTS),
        caps=rows(published, queries.CAPS),
        tiers=rows(published, queries.TIERS),
        paid=rows(published, queries.PAID, spans),
        health=rows(published, queries.HEALTH),
        quality=Quality(
            feeds=rows(published, queries.FEEDS),
            volumes=rows(published, queries.VOLUMES),
            identity=rows(published, queries.IDENTITY),
            unclassified=rows(published, queries.UNCLASSIFIED)[0],
        ),
        syncs=tuple(syncs),
        latencies={row["sync"]: row for row in rows(published, queries.LATENCIES)},
    )


def search(published: Published, layers: Sequence[str] = LAYERS) -> None:
    """Let queries name the tables of these layers without their schemas."""
    path = ",".join(f"warehouse.{published.schema(layer)}" for layer in layers)
    published.connection.execute(f"set search_path = '{path}'")


def rows(published: Published, query: str, values: Mapping[str, Any] | None = None) -> Rows:
    """The rows of a query, by the names of their columns.

    Raises:
        CioError: The build is of another version and lacks a table or column.
    """
    try:
        cursor = published.connection.execute(query, dict(values or {}))
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        lacks = str(error).splitlines()[0]
        message = (
            f"{published.path.name} was built by another version of this project ({lacks}). "
            "Run `cio build`, then this again."
        )
        raise CioError(message) from error
    names = [column[0] for column in cursor.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())


def _lifts(published: Published, truth: Mapping[str, Any]) -> tuple[Lift, ...]:
    experiments = truth.get("experiments", {})
    found = []
    for row in rows(published, queries.LIFTS):
        arm = experiments.get(row["experiment"], {}).get("arms", {}).get(row["arm"], {})
        planted = arm.get("metrics", {}).get(row["metric"], {}).get("true_effect")
        found.append(Lift(**row, truth=planted))
    return tuple(found)


def _audiences(
    published: Published, manifest: Mapping[str, Any], daily: Rows
) -> tuple[Audience, ...]:
    now = {row["audience"]: row for row in rows(published, queries.SIZES)}
    history: dict[str, list[Size]] = {}
    for row in daily:
        size = Size(row["observed_on"], row["version"], row["people"])
        history.setdefault(row["audience"], []).append(size)
    found = []
    for node in manifest.get("nodes", {}).values():
        meta = (node.get("config", {}).get("meta") or {}).get("audience")
        if node.get("resource_type") != "model" or not meta:
            continue
        current = now.get(node["name"], {})
        low, high = current.get("expected_low"), current.get("expected_high")
        found.append(
            Audience(
                name=node["name"],
                label=meta["label"],
                people=current.get("people") or 0,
                decision=" ".join(meta["decision"].split()),
                owner=meta["owner"],
                sizes=tuple(history.get(node["name"], ())),
                expected=None if low is None or high is None else (low, high),
                is_outside=bool(current.get("is_outside")),
            )
        )
    return tuple(sorted(found, key=lambda audience: audience.label))
