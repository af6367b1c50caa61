"""What the report says, read from a published build and the journals of syncs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.status import SyncStatus
    from warehouse.connection import Published


_COUNTS = """
select
    (select count(*) from people) as people,
    (select count(*) from message_events) as events,
    (select count(*) from orders) as orders,
    count(*) as deliveries,
    cast(sum(human_clicks) as bigint) as human_clicks,
    cast(sum(machine_clicks) as bigint) as machine_clicks,
    cast(sum(human_opens) as bigint) as human_opens,
    cast(sum(machine_opens) as bigint) as machine_opens
from deliveries
"""

# Rates by Welch; amounts by Hall's correction for skew, because few people held out and a few
# large orders mislead Welch.
_LIFTS = """
select
    results.experiment_id as experiment, experiments.label, results.arm, results.metric,
    results.people, results.control_people, results.mean, results.control_mean, results.effect,
    results.ci_low, results.ci_high, results.verdict, results.reason, results.window_hours
from experiment_results as results
inner join int_experiments as experiments on results.experiment_id = experiments.experiment_id
where
    results.is_headline
    and results.metric in (
        'conversion_rate', 'orders_per_person', 'revenue_per_person', 'net_revenue_per_person'
    )
order by experiments.starts_at, results.experiment_id, results.arm, results.metric
"""

_SIZES = "select audience, count(*) as people from audience_members group by audience"

_PRESSURE = """
select
    cast(least(messages_14d, 12) as bigint) as messages,
    count(*) as people,
    count(*) filter (where clicks_14d > 0) as clickers
from person_fatigue
group by 1
order by 1
"""

_HEALTH = """
select experiment_id, check_name, status, detail
from experiment_health
where status in ('warn', 'fail')
order by status, experiment_id, check_name
"""

_FEEDS = "select feed, complete_through from int_feed_watermarks order by feed"


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
    verdict: str
    reason: str
    window_hours: int
    truth: float | None = None


@dataclass(frozen=True)
class Audience:
    """An audience: how many are in it and what is done about them."""

    name: str
    label: str
    people: int
    decision: str
    owner: str


@dataclass(frozen=True)
class Pressure:
    """People by how many messages they received in 14 days."""

    messages: int
    people: int
    clickers: int


@dataclass(frozen=True)
class Facts:
    """Everything on the page."""

    as_of: str
    build_id: str
    people: int
    events: int
    deliveries: int
    orders: int
    human_clicks: int
    machine_clicks: int
    human_opens: int
    machine_opens: int
    lifts: tuple[Lift, ...]
    audiences: tuple[Audience, ...]
    pressure: tuple[Pressure, ...]
    health: tuple[dict[str, Any], ...]
    feeds: tuple[dict[str, Any], ...]
    syncs: tuple[SyncStatus, ...]


def read_facts(
    published: Published,
    *,
    manifest: Mapping[str, Any],
    syncs: Sequence[SyncStatus],
    truth: Mapping[str, Any] | None = None,
) -> Facts:
    """Read what the report says.

    Args:
        published: The published build.
        manifest: dbt's manifest of it, for what audiences are for.
        syncs: How the syncs stand.
        truth: The planted effects of a seeded world.

    Returns:
        The facts.
    """
    layers = ("marts", "audiences", "intermediate")
    path = ",".join(f"warehouse.{published.schema(layer)}" for layer in layers)
    published.connection.execute(f"set search_path = '{path}'")
    counts = _rows(published, _COUNTS)[0]
    return Facts(
        as_of=f"{published.build.as_of:%Y-%m-%d %H:%M} UTC",
        build_id=published.build.build_id,
        **{name: value or 0 for name, value in counts.items()},
        lifts=_lifts(published, truth or {}),
        audiences=_audiences(published, manifest),
        pressure=_pressure(published),
        health=tuple(_rows(published, _HEALTH)),
        feeds=tuple(_rows(published, _FEEDS)),
        syncs=tuple(syncs),
    )


def _lifts(published: Published, truth: Mapping[str, Any]) -> tuple[Lift, ...]:
    rows = _rows(published, _LIFTS)
    experiments = truth.get("experiments", {})
    found = []
    for row in rows:
        arm = experiments.get(row["experiment"], {}).get("arms", {}).get(row["arm"], {})
        planted = arm.get("metrics", {}).get(row["metric"], {}).get("true_effect")
        found.append(Lift(**row, truth=planted))
    return tuple(found)


def _audiences(published: Published, manifest: Mapping[str, Any]) -> tuple[Audience, ...]:
    sizes = {row["audience"]: row["people"] for row in _rows(published, _SIZES)}
    found = []
    for node in manifest.get("nodes", {}).values():
        meta = (node.get("config", {}).get("meta") or {}).get("audience")
        if node.get("resource_type") == "model" and meta:
            found.append(
                Audience(
                    name=node["name"],
                    label=meta["label"],
                    people=sizes.get(node["name"], 0),
                    decision=" ".join(meta["decision"].split()),
                    owner=meta["owner"],
                )
            )
    return tuple(sorted(found, key=lambda audience: audience.label))


def _pressure(published: Published) -> tuple[Pressure, ...]:
    rows = _rows(published, _PRESSURE)
    return tuple(Pressure(**row) for row in rows)


def _rows(published: Published, query: str) -> list[dict[str, Any]]:
    cursor = published.connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
