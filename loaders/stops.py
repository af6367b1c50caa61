"""Opt-outs that a load brings go on the stop list, ahead of the next build."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from loaders.preferences import ATTRIBUTE, Refused, refused_in
from warehouse.stop_list import append, stop_list_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loaders.feeds import Feed, OptOuts, Parsed, Preferences
    from warehouse.home import Home

Rows: TypeAlias = "pa.Table | pa.RecordBatch"


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


def stop_rows(home: Home, rule: OptOuts, rows: Rows) -> int:
    """Put those on the stop list whom rows of the rule's table say to have opted out.

    Returns:
        How many identifiers were added.
    """
    if rows.num_rows == 0:
        return 0
    column = rows.column(rule.column)
    said = rows.filter(pc.is_in(column, pa.array(rule.values, column.type)))
    path = stop_list_path(home)
    added = append(path, "opt_out", _names(rule, said), by="load")
    for (is_channel, topics), refusing in _refusing(rule.preferences, rows):
        names = _names(rule, refusing)
        if is_channel:
            added += append(path, "opt_out", names, by="load")
        if topics:
            added += append(path, "opt_out", names, by="load", topics=topics)
    return added


def _names(rule: OptOuts, rows: Rows) -> list[str | None]:
    columns = (name for name in rule.identifiers if name in rows.schema.names)
    return [each for name in columns for each in rows.column(name).to_pylist()]


def _refusing(place: Preferences | None, rows: Rows) -> Iterator[tuple[Refused, Rows]]:
    """Rows that refuse something, those together that refuse the same."""
    if place is None:
        return
    said = rows.filter(pc.fill_null(pc.match_substring(rows.column(place.mark), ATTRIBUTE), False))  # noqa: FBT003 - what null becomes
    found: defaultdict[Refused, list[int]] = defaultdict(list)
    for row, document in enumerate(said.column(place.column).to_pylist()):
        if document is not None:
            found[refused_in(document, place.keys)].append(row)
    for what, places in found.items():
        if any(what):
            yield what, said.take(pa.array(places))
