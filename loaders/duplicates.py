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
            feed: The feed whose keys tell records apart.
        """
        self._warehouse = warehouse
        self._dataset = feed.dataset
        keys = {feed.table: feed.key, **feed.other_keys}
        self._keys = {table: f"hash({', '.join(key)})" for table, key in keys.items()}
        self._taken: set[str] = set()

    def add(self, records: pa.Table, table: str) -> None:
        """Take the keys of a batch of a table."""
        self._warehouse.register("batch_of_records", records)
        key = self._keys[table]
        if table not in self._taken:
            self._warehouse.execute(
                f"create or replace temporary table loading_{table} (key ubigint)"
            )
            self._taken.add(table)
        self._warehouse.execute(
            f"insert into temp.loading_{table} select {key} from batch_of_records"  # noqa: S608 - declared names
        )
        self._warehouse.unregister("batch_of_records")

    def count(self) -> int:
        """How many of the records taken so far are not the first with their key."""
        return sum(self._count(table) for table in sorted(self._taken))

    def _count(self, table: str) -> int:
        row = self._warehouse.execute(
            f"""
            with distinct_keys as (select distinct key from temp.loading_{table}),

            new_keys as (
                select distinct_keys.key
                from distinct_keys
                anti join (select {self._keys[table]} as key from {self._dataset}.{table}) as loaded
                    on distinct_keys.key = loaded.key
            )

            select
                (select count(*) from temp.loading_{table}) - (select count(*) from new_keys)
            """  # noqa: S608 - declared names
        ).fetchone()
        self._warehouse.execute(f"drop table temp.loading_{table}")
        return 0 if row is None else int(row[0])
