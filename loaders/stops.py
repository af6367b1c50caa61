"""Opt-outs that a load brings go on the stop list, ahead of the next build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.stop_list import append, stop_list_path

if TYPE_CHECKING:
    from loaders.feeds import Feed, OptOuts, Parsed
    from warehouse.home import Home


def stop_opted_out(home: Home, feed: Feed, batch: Parsed) -> int:
    """Put those on the stop list whom a batch says to have opted out.

    Done as batches come, before they are landed: should the load fail, somebody waits for the next
    build who need not have.

    Args:
        home: The home whose stop list it is.
        feed: The feed, with what an opt-out is in it.
        batch: What was parsed.

    Returns:
        How many identifiers were added.
    """
    rule = feed.opt_outs
    if rule is None:
        return 0
    own = batch.table or feed.table
    table = batch.records if own == rule.table else batch.others.get(rule.table)
    return 0 if table is None else stop_rows(home, rule, table)


def stop_rows(home: Home, rule: OptOuts, rows: pa.Table | pa.RecordBatch) -> int:
    """Put those on the stop list whom rows of the rule's table say to have opted out.

    Returns:
        How many identifiers were added.
    """
    if rows.num_rows == 0:
        return 0
    column = rows.column(rule.column)
    said = rows.filter(pc.is_in(column, pa.array(rule.values, column.type)))
    names = (name for name in rule.identifiers if name in said.schema.names)
    identifiers = [each for name in names for each in said.column(name).to_pylist()]
    return append(stop_list_path(home), "opt_out", identifiers, by="load")
