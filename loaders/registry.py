"""The feeds that can be loaded, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders.commerce.ad_spend import AD_SPEND
from loaders.commerce.cancellations import CANCELLATIONS
from loaders.commerce.currency_rates import CURRENCY_RATES
from loaders.commerce.order_items import ORDER_ITEMS
from loaders.commerce.orders import ORDERS
from loaders.commerce.paid_audience_days import PAID_AUDIENCE_DAYS
from loaders.commerce.refunds import REFUNDS
from loaders.customerio.exports import EXPORTS
from loaders.customerio.webhooks import WEBHOOKS
from loaders.experiments.assignments import ASSIGNMENTS
from loaders.mparticle.audiences import MPARTICLE_AUDIENCES
from loaders.mparticle.batches import MPARTICLE
from loaders.people.merges import MERGES
from loaders.people.people import PEOPLE
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from loaders.feeds import Feed

FEEDS: dict[str, Feed] = {
    feed.name: feed
    for feed in (
        WEBHOOKS,
        EXPORTS,
        ORDERS,
        ORDER_ITEMS,
        REFUNDS,
        CANCELLATIONS,
        AD_SPEND,
        PAID_AUDIENCE_DAYS,
        CURRENCY_RATES,
        PEOPLE,
        MERGES,
        ASSIGNMENTS,
        MPARTICLE,
        MPARTICLE_AUDIENCES,
    )
}


def find_feed(name: str) -> Feed:
    """The feed of that name.

    Raises:
        UsageError: There is none.
    """
    if name not in FEEDS:
        message = f"there is no feed {name}; there are {', '.join(FEEDS)}"
        raise UsageError(message)
    return FEEDS[name]
