"""What else the shop's own systems tell: lines of orders, cancellations, and what ads cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fakes.world.orders import SKUS_PER_FAMILY, Orders
from fakes.world.people import FAMILIES
from fakes.world.settings import DAY, HOUR, Floats, Ints, WorldSettings, happens
from fakes.world.tables import instants, money, order_ids, write_columns

if TYPE_CHECKING:
    from pathlib import Path

CANCELLED_AFTER = 6 * HOUR
_SECOND_LINE_SHARE = 0.3
_COST_SHARE = 0.45
_RESTATED_DAYS = 3
_CAMPAIGNS = (
    ("meta", "1201", "Prospecting - Broad", 60.0),
    ("meta", "1202", "Retargeting - Clickers", 25.0),
    ("google", "2201", "Search - Brand", 30.0),
    ("google", "2202", "Shopping - All products", 55.0),
    ("tiktok", "3201", "Prospecting - Video", 35.0),
)
"""Platform, id, name, and what a day costs on average, in euros."""


def write_items(settings: WorldSettings, orders: Orders, folder: Path) -> tuple[Path, int]:
    """Write the lines of orders: one, or two of different families. Returns their number.

    What the lines cost comes to what the order does, to the cent, and so does their discount.
    """
    rng = settings.stream("order items")
    baskets, count = orders.baskets, orders.count
    second = np.flatnonzero(happens(rng.random(count), _SECOND_LINE_SHARE))
    share = rng.uniform(0.2, 0.5, len(second))
    other = baskets.family[second] + rng.integers(1, len(FAMILIES), len(second))
    row = np.concatenate([np.arange(count), second])
    order = np.argsort(row, kind="stable")
    family = np.concatenate([baskets.family, other % len(FAMILIES)])[order]
    sku = np.concatenate([baskets.sku, rng.integers(0, SKUS_PER_FAMILY, len(second))])[order]
    place = np.repeat((1, 2), (count, len(second)))[order]
    paid = _split(orders.total_cents, second, share)[order]
    discount = _split(baskets.discount_cents, second, share)[order]
    row = row[order]
    quantity = np.where(place == 1, baskets.sku[row] % 3 + 1, 1)
    unit = (paid + discount) // quantity
    order_id = order_ids(count).take(pa.array(row))
    named = pa.array(FAMILIES).take(pa.array(family))
    number = pc.cast(pa.array(sku % SKUS_PER_FAMILY + 1), pa.string())
    path = write_columns(
        folder / "order_items.csv",
        {
            "order_id": order_id,
            "item_id": pc.binary_join_element_wise(
                order_id, pc.cast(pa.array(place), pa.string()), "-"
            ),
            "sku": pc.binary_join_element_wise(named, number, "-"),
            "product_name": pc.binary_join_element_wise(pc.utf8_capitalize(named), number, " no. "),
            "product_family": named,
            "quantity": pa.array(quantity),
            "unit_price": money(unit),
            "discount_amount": money(discount),
            "total_amount": money(paid),
            "unit_cost": money(np.rint(unit * _COST_SHARE).astype(np.int64)),
            "updated_at": instants(orders.at[row]),
        },
    )
    return path, len(row)


def _split(cents: Ints, second: Ints, share: Floats) -> Ints:
    """Cents of first lines, then of the second ones."""
    part = np.rint(cents[second] * share).astype(np.int64)
    first = cents.copy()
    first[second] -= part
    return np.concatenate([first, part])


def write_cancellations(settings: WorldSettings, orders: Orders, folder: Path) -> tuple[Path, int]:
    """Write when and why orders were called off. Returns their number."""
    at = orders.at + CANCELLED_AFTER
    rows = np.flatnonzero(orders.baskets.is_cancelled & (at <= settings.end))
    path = write_columns(
        folder / "cancellations.csv",
        {
            "order_id": order_ids(orders.count).take(pa.array(rows)),
            "cancelled_at": instants(at[rows]),
            "reason": pa.array(["out of stock", "changed mind"]).take(pa.array(rows % 2)),
        },
    )
    return path, len(rows)


def write_ad_spend(settings: WorldSettings, folder: Path) -> tuple[Path, int]:
    """Write what campaigns of ad platforms cost by day. Returns how many rows.

    Platforms restate their last days, so those come twice: a part first, and all of it later.
    """
    rng = settings.stream("ad spend")
    campaigns = len(_CAMPAIGNS)
    day = np.repeat(np.arange(settings.days), campaigns)
    campaign = np.tile(np.arange(campaigns), settings.days)
    at = settings.start + day * DAY
    weekend = np.isin((at // DAY + 4) % 7, (0, 6))
    budget = np.array([each[3] for each in _CAMPAIGNS])[campaign]
    spend = budget * np.where(weekend, 1.25, 1.0) * rng.lognormal(0.0, 0.15, len(day))
    cents = np.rint(spend * 100).astype(np.int64)
    impressions = np.rint(spend * rng.uniform(90, 160, len(day))).astype(np.int64)
    clicks = np.rint(impressions * rng.uniform(0.008, 0.02, len(day))).astype(np.int64)
    early = np.flatnonzero(day >= settings.days - _RESTATED_DAYS)
    row = np.concatenate([early, np.arange(len(day))])
    part = np.concatenate([np.full(len(early), 0.8), np.ones(len(day))])
    told_at = at[row] + np.where(part < 1, 20 * HOUR, DAY)
    code = pa.array(campaign[row])
    platform, campaign_id, name, _ = (
        pa.array(each).take(code) for each in zip(*_CAMPAIGNS, strict=True)
    )
    path = write_columns(
        folder / "ad_spend.csv",
        {
            "platform": platform,
            "account_id": pc.binary_join_element_wise("act", platform, "_"),
            "campaign_id": campaign_id,
            "campaign_name": name,
            "spent_on": pc.utf8_slice_codeunits(instants(at[row]), 0, 10),
            "currency": pa.array(["EUR"]).take(pa.array(np.zeros(len(row), dtype=np.int64))),
            "spend": money(np.rint(cents[row] * part).astype(np.int64)),
            "impressions": pa.array(np.rint(impressions[row] * part).astype(np.int64)),
            "clicks": pa.array(np.rint(clicks[row] * part).astype(np.int64)),
            "updated_at": instants(np.minimum(told_at, settings.end)),
        },
    )
    return path, len(row)
