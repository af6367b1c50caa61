"""What changed in the last days, in sentences: lift, audiences, messages, alerts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    Row = Mapping[str, Any]

# an audience that moved by less is as it was
_NOTABLE = 0.1
# of people; a few more or less in a tiny audience is no news
_FEWEST = 10
_MOST_AUDIENCES = 6


@dataclass(frozen=True)
class Change:
    """One thing that changed.

    Attributes:
        subject: Lift, Audience, Messages or Alert.
        words: What changed, as a sentence.
    """

    subject: str
    words: str


@dataclass(frozen=True)
class Material:
    """What changes are found in.

    Attributes:
        labels: Audiences' labels by their names.
        alerts: Open alerts.
        lifts: Rows of `experiment_lift_daily` with the experiment's label, by day.
        sizes: Rows of `audience_sizes_daily`, by audience and day.
        channels: Messages delivered and clicked after the day and in as long before it.
        messages: Messages sent for the first time after the day.
    """

    labels: Mapping[str, str]
    alerts: Sequence[Row]
    lifts: Sequence[Row]
    sizes: Sequence[Row]
    channels: Sequence[Row]
    messages: Sequence[Row]


def find_changes(material: Material, *, since: date) -> tuple[Change, ...]:
    """Find what changed after a day.

    Args:
        material: Where to look.
        since: The last day of what was before.

    Returns:
        The changes, what was caused first.
    """
    return (
        *_lift_changes(material.lifts, since),
        *_alert_changes(material.alerts, since),
        *_channel_changes(material.channels),
        *_new_messages(material.messages),
        *_audience_changes(material.sizes, material.labels, since),
    )


def _lift_changes(lifts: Sequence[Row], since: date) -> Iterator[Change]:
    rated = [row for row in lifts if row["metric"] == "conversion_rate"]
    for (label, arm), days in groupby(rated, key=lambda row: (row["label"], row["arm"])):
        before, now = _around(days, "as_of_on", since)
        if now is None or now["effect"] is None:
            continue
        effect = f"{100 * now['effect']:+.2f} points of people ordering"
        if before is None or before["effect"] is None:
            yield Change("Lift", f"{label} ({arm}): a first result, {effect}.")
        elif _side(before) != _side(now):
            yield Change("Lift", f"{label} ({arm}): {effect}, {_sides(before, now)}.")


def _sides(before: Row, now: Row) -> str:
    if _side(now) == 0:
        return "no longer clearly different from zero"
    word = "above" if _side(now) > 0 else "below"
    return f"now clearly {word} zero" + (", the other side than before" if _side(before) else "")


def _side(row: Row) -> int:
    if row["ci_low"] is None or row["ci_high"] is None:
        return 0
    return int(row["ci_low"] > 0) - int(row["ci_high"] < 0)


def _alert_changes(alerts: Sequence[Row], since: date) -> Iterator[Change]:
    new = [row for row in alerts if row["since_at"] is not None and row["since_at"].date() > since]
    if new:
        high = sum(row["severity"] == "high" for row in new)
        words = "1 alert is" if len(new) == 1 else f"{len(new):,} alerts are"
        yield Change("Alert", f"{words} new, {high or 'none'} of high severity; see above.")


def _channel_changes(channels: Sequence[Row]) -> Iterator[Change]:
    for row in channels:
        now = f"{row['delivered']:,} {row['channel'].replace('_', '-')} messages received"
        if row["delivered"]:
            now += f", {100 * row['clicked'] / row['delivered']:.1f} % clicked"
        before = f"{row['delivered_before']:,}"
        if row["delivered_before"]:
            before += f" and {100 * row['clicked_before'] / row['delivered_before']:.1f} %"
        yield Change("Messages", f"{now}; in as long before, {before}.")


def _new_messages(messages: Sequence[Row]) -> Iterator[Change]:
    for row in messages:
        yield Change(
            "Messages",
            f"New since {row['first_on']}: {row['name']} ({row['channel'].replace('_', '-')}), "
            f"received {row['delivered']:,} times.",
        )


def _audience_changes(
    sizes: Sequence[Row], labels: Mapping[str, str], since: date
) -> Iterator[Change]:
    moved: list[tuple[float, str]] = []
    for name, days in groupby(sizes, key=lambda row: row["audience"]):
        label = labels.get(name, name)
        before, now = _around(days, "observed_on", since)
        if before is None or now is None or before is now:
            continue
        if before["version"] != now["version"]:
            yield Change(
                "Audience",
                f"{label}: version {now['version']} of its definition; "
                f"{before['people']:,} people before, {now['people']:,} now.",
            )
            continue
        share = (now["people"] - before["people"]) / max(before["people"], 1)
        is_large = abs(now["people"] - before["people"]) >= _FEWEST
        if abs(share) >= _NOTABLE and is_large:
            words = f"{label}: {before['people']:,} people before, {now['people']:,} now"
            moved.append((abs(share), f"{words} ({100 * share:+.0f} %)."))
    for _, words in sorted(moved, reverse=True)[:_MOST_AUDIENCES]:
        yield Change("Audience", words)


def _around(days: Iterable[Row], column: str, since: date) -> tuple[Row | None, Row | None]:
    """The last row until the day, and the last of all if it is later."""
    before = now = None
    for row in days:
        if row[column] <= since:
            before = row
        else:
            now = row
    return before, now
