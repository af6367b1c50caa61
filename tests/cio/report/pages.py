"""Facts made by hand, for pages that the seeded world never shows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from cio.report.changes import Change
from cio.report.facts import Audience, Facts, Lift, Pressure, Quality, Size

AS_OF = date(2026, 9, 1)


def facts(**changed: Any) -> Facts:  # noqa: ANN401 - any field of the facts
    """Facts of a warehouse with nothing in it, but for what is given."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("people", "events", "deliveries", "orders", "human_clicks", "machine_clicks"), 0
    )
    nothing |= {"human_opens": 0, "machine_opens": 0, "latencies": {}}
    nothing |= dict.fromkeys(
        (
            *("changes", "alerts", "lifts", "audiences", "pressure", "doses", "dose_effects"),
            *("caps", "tiers", "paid", "health", "syncs"),
        ),
        (),
    )
    quality = Quality(
        feeds=(), volumes=(), identity=(), unclassified={"messages": 0, "deliveries": 0}
    )
    values = nothing | {"quality": quality} | changed
    return Facts(as_of="2026-09-01 00:00 UTC", build_id="b", days=7, **values)


def lift(**changed: Any) -> Lift:  # noqa: ANN401 - any field of a lift
    """A measured effect on the share who order."""
    values: dict[str, Any] = {
        "experiment": "cart",
        "label": "Cart recovery, 10 % held out",
        "arm": "messaged",
        "metric": "conversion_rate",
        "people": 900,
        "control_people": 100,
        "mean": 0.20,
        "control_mean": 0.15,
        "effect": 0.05,
        "ci_low": 0.01,
        "ci_high": 0.09,
        "always_low": -0.01,
        "always_high": 0.11,
        "p_value": 0.014,
        "verdict": "helps",
        "reason": "",
        "window_hours": 72,
    }
    return Lift(**values | changed)


def audience(number: int, *, days: int = 12) -> Audience:
    """An audience that grew, and whose definition changed half-way."""
    sizes = tuple(
        Size(AS_OF - timedelta(days=days - day), 1 + day // 6, 10 * number + day)
        for day in range(days)
    )
    return Audience(
        name=f"audience_{number}",
        label=f"CIO | Audience of a rather long name, number {number} | 0-24h",
        people=10 * number + days,
        decision="Send them one reminder, and leave them alone for a week after that.",
        owner="retention",
        sizes=sizes,
        expected=(1, 100_000),
    )


def ad(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any column of the query
    """A paid audience of the last days, people a day on average."""
    return {
        "platform": "meta",
        "audience": "CIO | Retargeting of a rather long name | 0-3d",
        "days": 7,
        "people_before": 1_060,
        "people": 1_000,
        "suppressed_people": 60,
        "overlap_people": 15,
        "currency": "EUR",
        "spend": 250.0,
        "avoided_spend": 15.0,
        "overlap_spend": 3.75,
    } | changed


def one_event() -> Facts:
    """Somebody received one message."""
    return facts(people=1, events=1, deliveries=1, pressure=(Pressure(1, 1, 0),))


def crowded() -> Facts:
    """Two hundred audiences, three hundred alerts, several arms, and hostile names."""
    alert = {
        "alert_name": "stale_feed",
        "severity": "high",
        "subject": "<script>alert(1)</script>",
        "owner": "data",
        "since_at": datetime(2026, 8, 30),  # noqa: DTZ001 - instants of the warehouse are naive UTC
        "detail": "whole until 2026-08-30",
        "what_to_do": "Load it.",
    }
    change = Change("Audience", "CIO | Some | 0-24h: version 2 of its definition; 9 before, 8 now.")
    return facts(
        people=1_234_567,
        changes=(change,) * 200,
        deliveries=98_765_432,
        alerts=(alert,) * 300,
        lifts=(
            lift(),
            lift(arm="reminder & more", verdict="hurts", effect=-0.05, ci_low=-0.09, ci_high=-0.01),
            lift(metric="revenue_per_person", effect=1.5, ci_low=-1.0, ci_high=4.0),
            lift(arm="none", effect=None, verdict="refused", reason="nobody was held out"),
        ),
        audiences=tuple(audience(number) for number in range(200)),
        paid=(ad(), ad(currency=None, spend=None, avoided_spend=None, overlap_spend=None)) * 10,
        pressure=tuple(Pressure(number, 1000 - 70 * number, 10) for number in range(13)),
    )
