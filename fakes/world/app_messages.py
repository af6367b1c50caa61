"""The same history as the App API tells it: of each message the first of every metric.

Fields are those of https://docs.customer.io/integrations/api/app/. The stand-in of the App API
takes them as `Workspace.messages`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fakes.world import extras, identifiers
from fakes.world.catalogue import MESSAGES
from fakes.world.events import METRICS, Events
from fakes.world.outcomes import EMAIL

if TYPE_CHECKING:
    from fakes.world.deliveries import Deliveries
    from fakes.world.people import Town
    from fakes.world.settings import Flags, Ints

_TYPES = ("email", "twilio", "push", "in_app")
_WORKFLOW_IDS = (
    *("campaign_id", "broadcast_id", "newsletter_id", "transactional_message_id"),
    *("action_id", "parent_action_id", "content_id"),
)
NAMES = (*METRICS, "human_opened", "prefetch_opened", "human_clicked", "machine_clicked")
"""Names of metrics; those of the webhooks come first, under the same numbers."""


def tell(
    town: Town, deliveries: Deliveries, events: Events, journeys: Ints
) -> list[dict[str, Any]]:
    """Every message, in the vendor's own shape.

    Args:
        town: everyone, with their identifiers.
        deliveries: the messages.
        events: what happened; events without a message are in none.
        journeys: the second at which each journey began.
    """
    ids = identifiers.message_ids(town.settings, deliveries, journeys).delivery.to_pylist()
    metrics = _metrics(deliveries, events)
    identities = _identities(town)
    of_message = [{name: getattr(each, name) for name in _WORKFLOW_IDS} for each in MESSAGES]
    messages = []
    for number, (delivery_id, message, channel, profile, at) in enumerate(
        zip(
            ids,
            deliveries.message.tolist(),
            deliveries.channel.tolist(),
            deliveries.profile.tolist(),
            deliveries.at.tolist(),
            strict=True,
        )
    ):
        reached = {"created": at, **metrics.get(number, {})}
        messages.append(
            {
                "id": delivery_id,
                "deduplicate_id": f"{delivery_id}:{max(reached.values())}",
                "type": _TYPES[channel],
                "created": at,
                "customer_identifiers": identities[profile],
                "forgotten": identities[profile] is None,
                "subject": MESSAGES[message].subject,
                "metrics": reached,
                **of_message[message],
            }
        )
    return messages


def _metrics(deliveries: Deliveries, events: Events) -> dict[int, dict[str, int]]:
    """Of each delivery the first second of each metric, by its name."""
    rows = np.flatnonzero(events.delivery >= 0)
    delivery, metric, at = events.delivery[rows], events.metric[rows], events.at[rows]
    by_machine = _machines(events.extra[rows])
    is_email = deliveries.channel[delivery] == EMAIL
    told = [(delivery, metric, at)]
    for kind in ("opened", "clicked"):
        is_kind = is_email & (metric == METRICS.index(kind))
        machine_name = "prefetch_opened" if kind == "opened" else "machine_clicked"
        for chosen, name in ((~by_machine, f"human_{kind}"), (by_machine, machine_name)):
            some = is_kind & chosen
            told.append((delivery[some], np.full(some.sum(), NAMES.index(name)), at[some]))
    delivery, metric, at = (np.concatenate(column) for column in zip(*told, strict=True))
    order = np.lexsort((at, metric, delivery))
    delivery, metric, at = delivery[order], metric[order], at[order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (delivery[1:] != delivery[:-1]) | (metric[1:] != metric[:-1])
    found: dict[int, dict[str, int]] = {}
    firsts = (delivery[is_first].tolist(), metric[is_first].tolist(), at[is_first].tolist())
    for number, name, second in zip(*firsts, strict=True):
        found.setdefault(number, {})[NAMES[name]] = second
    return found


def _machines(extra: Ints) -> Flags:
    said = extras.parts()
    flags = [
        np.array([bool(flag) for flag in said.column(name).to_pylist()])
        for name in ("prefetched", "machine")
    ]
    is_machine: Flags = (flags[0] | flags[1])[extra]
    return is_machine


def _identities(town: Town) -> list[dict[str, str | None] | None]:
    """Identifiers of each profile; none of people who are deleted by the end."""
    profiles = town.profiles
    gone = (town.people.deleted_at[profiles.person] < town.settings.end).tolist()
    columns = (profiles.cio_id, profiles.customer_id, profiles.email)
    return [
        None if is_gone else {"cio_id": cio_id, "id": number, "email": email}
        for is_gone, cio_id, number, email in zip(
            gone, *(column.to_pylist() for column in columns), strict=True
        )
    ]
