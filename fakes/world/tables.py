"""The company's own tables as CSV: orders, refunds, people and merges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from fakes.world.orders import CODES, SKUS_PER_FAMILY, Orders
from fakes.world.people import FAMILIES, Town
from fakes.world.settings import DAY, NEVER, Flags, Ints, WorldSettings, happens

if TYPE_CHECKING:
    from pathlib import Path


def instants(seconds: Ints) -> pa.Array:
    """Unix seconds as ISO 8601 in UTC."""
    text = pc.cast(pa.array(seconds.astype("datetime64[s]")), pa.string())
    return pc.binary_join_element_wise(pc.replace_substring(text, " ", "T"), "Z", "")


def money(cents: Ints) -> pa.Array:
    """Cents as an amount with two decimals."""
    part = pc.utf8_lpad(pc.cast(pa.array(cents % 100), pa.string()), 2, "0")
    return pc.binary_join_element_wise(pc.cast(pa.array(cents // 100), pa.string()), part, ".")


def booleans(values: Flags) -> pa.Array:
    """Flags in the words of CSV."""
    return pa.array(["false", "true"]).take(pa.array(values.astype(np.int64)))


def order_ids(count: int) -> pa.Array:
    """Order numbers, in order of time."""
    return pc.binary_join_element_wise(
        "O", pc.cast(pa.array(np.arange(100_001, 100_001 + count)), pa.string()), ""
    )


def write_columns(path: Path, columns: dict[str, pa.Array]) -> Path:
    """Write columns as CSV, quoted where they must be. Returns where."""
    options = csv.WriteOptions(quoting_style="needed")
    csv.write_csv(pa.table(columns), path, options)
    return path


def refunded_at(orders: Orders) -> Ints:
    """When each order is paid back; never for most."""
    is_refunded = (orders.refund_cents > 0) & ~orders.baskets.is_cancelled
    return np.where(is_refunded, orders.at + orders.baskets.refund_delay, NEVER)


def write_orders(town: Town, orders: Orders, folder: Path) -> Path:
    """Write orders by time. An order has the customer id if there is one, else the e-mail alone."""
    settings, profiles = town.settings, town.profiles
    rng = settings.stream("order rows")
    baskets, owner = orders.baskets, pa.array(orders.person)
    family = pa.array(FAMILIES).take(pa.array(baskets.family))
    is_odd = pa.array(happens(rng.random(orders.count), 0.02))
    back_at = refunded_at(orders)
    touched_at = orders.at + np.where(baskets.is_cancelled, 6 * 3600, 0)
    touched_at = np.where(back_at <= settings.end, back_at, touched_at)
    sku = pc.binary_join_element_wise(
        family, pc.cast(pa.array(baskets.sku % SKUS_PER_FAMILY + 1), pa.string()), "-"
    )
    return write_columns(
        folder / "orders.csv",
        {
            "order_id": order_ids(orders.count),
            "customer_id": profiles.customer_id.take(owner),
            "email": pc.if_else(is_odd, profiles.odd_email.take(owner), profiles.email.take(owner)),
            "ordered_at": instants(orders.at),
            "updated_at": instants(np.minimum(touched_at, settings.end)),
            "currency": pa.array(["EUR"]).take(pa.array(np.zeros(orders.count, dtype=np.int64))),
            "total_amount": money(orders.total_cents),
            "discount_amount": money(baskets.discount_cents),
            "discount_code": pa.array([None, *CODES[1:]]).take(pa.array(baskets.code)),
            "is_cancelled": booleans(baskets.is_cancelled),
            "sku": sku,
            "sku_family": family,
            "quantity": pa.array(baskets.sku % 3 + 1),
        },
    )


def write_refunds(settings: WorldSettings, orders: Orders, folder: Path) -> tuple[Path, int]:
    """Write refunds, full and partial, that happened before the end. Returns their number."""
    back_at = refunded_at(orders)
    rows = np.flatnonzero(back_at <= settings.end)
    rows = rows[np.argsort(back_at[rows], kind="stable")]
    number = pc.cast(pa.array(np.arange(1, len(rows) + 1)), pa.string())
    path = write_columns(
        folder / "refunds.csv",
        {
            "refund_id": pc.binary_join_element_wise("R", number, ""),
            "order_id": order_ids(orders.count).take(pa.array(rows)),
            "refunded_at": instants(back_at[rows]),
            "amount": money(orders.refund_cents[rows]),
            "refund_reason": pa.array(["damaged", "changed_mind", "late"]).take(pa.array(rows % 3)),
        },
    )
    return path, len(rows)


def write_people(town: Town, opted_out_at: Ints, folder: Path) -> tuple[Path, int]:
    """Write the profiles that exist at the end: not deleted, not merged away. Returns how many."""
    settings, people, profiles = town.settings, town.people, town.profiles
    is_second = np.arange(profiles.count) >= people.count
    is_merged = is_second & (people.merged_at[profiles.person] < settings.end)
    is_there = ~is_merged & (people.deleted_at[profiles.person] == NEVER)
    is_there &= people.created_at[profiles.person] < settings.end
    rows = np.flatnonzero(is_there)
    person, keys = profiles.person[rows], pa.array(rows)
    left_at = opted_out_at[person]
    changed_at = np.where(left_at < settings.end, left_at, people.created_at[person] + DAY)
    path = write_columns(
        folder / "people.csv",
        {
            "customer_id": profiles.customer_id.take(keys),
            "email": profiles.email.take(keys),
            "cio_id": profiles.cio_id.take(keys),
            "phone": profiles.phone.take(keys),
            "first_name": profiles.first_name.take(keys),
            "last_name": profiles.last_name.take(keys),
            "created_at": instants(people.created_at[person]),
            "updated_at": instants(np.minimum(changed_at, settings.end)),
            "is_unsubscribed": booleans(left_at < settings.end),
            "acquisition_channel": profiles.source.take(keys),
            "country": profiles.country.take(keys),
            "favourite_family": pa.array(FAMILIES).take(pa.array(people.family[person])),
            "has_app": booleans(people.has_app[person]),
        },
    )
    return path, len(rows)


def write_merges(town: Town, folder: Path) -> tuple[Path, int]:
    """Write which second profile went into which first one. Returns their number."""
    people, profiles = town.people, town.profiles
    merged = np.flatnonzero(people.second_profile >= 0)
    merged = merged[np.argsort(people.merged_at[merged], kind="stable")]
    path = write_columns(
        folder / "merges.csv",
        {
            "primary_cio_id": profiles.cio_id.take(pa.array(merged)),
            "secondary_cio_id": profiles.cio_id.take(pa.array(people.second_profile[merged])),
            "merged_at": instants(people.merged_at[merged]),
        },
    )
    return path, len(merged)
