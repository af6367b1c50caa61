"""Counting records that were loaded before, or come twice in one load."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from loaders.feeds import Feed


class Duplicates:
    """Keys of the load under way, kept in the warehouse's temporary tables, not in Python.

    Keys are kept as 64-bit hashes: among ten million, one wrong count in 370,000 loads.
    """

    def __init__(self, warehouse: duckdb.DuckDBPyConnection, feed: Feed) -> None:
        """Start counting for one load.

        Args:
            warehouse: The warehouse, open for writing, with only complete loads in it.
            feed: The feed whose key tells records apart.
        """
        self._warehouse = warehouse
        self._key = f"hash({', '.join(feed.key)})"
        self._table = f"{feed.dataset}.{feed.table}"
        warehouse.execute("create or replace temporary table loading_keys (key ubigint)")

    def add(self, records: pa.Table) -> None:
        """Take the keys of a batch."""
        self._warehouse.register("batch_of_records", records)
        self._warehouse.execute(
            f"insert into temp.loading_keys select {self._key} from batch_of_records"  # noqa: S608 - declared names
        )
        self._warehouse.unregister("batch_of_records")

    def count(self) -> int:
        """How many of the records taken so far are not the first with their key."""
        row = self._warehouse.execute(
            f"""
            with distinct_keys as (select distinct key from temp.loading_keys),

            new_keys as (
                select distinct_keys.key
                from distinct_keys
                anti join (select {self._key} as key from {self._table}) as loaded
                    on distinct_keys.key = loaded.key
            )

            select
                (select count(*) from temp.loading_keys) - (select count(*) from new_keys)
            """  # noqa: S608 - declared names
        ).fetchone()
        self._warehouse.execute("drop table temp.loading_keys")
        return 0 if row is None else int(row[0])
