"""Feeds of rows with a column mapping: CSV, JSON lines, parquet, or a table of the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from loaders.bookkeeping import quarantine, quarantine_lines
from loaders.feeds import Feed, OptOuts, Parsed
from loaders.row_kinds import Kind, typed, wanted
from loaders.row_sources import SUFFIXES, read_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from loaders.locations import File
    from loaders.row_blocks import Block
    from warehouse.raw_tables import Columns


@dataclass(frozen=True)
class Target:
    """A column of the warehouse that a column of the file fills."""

    name: str
    kind: Kind = "text"
    is_required: bool = False
    """Whether a row without it is quarantined; one whose value does not fit always is."""


@dataclass(frozen=True)
class RowFeed:
    """What a feed of rows wants."""

    name: str
    dataset: str
    table: str
    tables: Mapping[str, Columns]
    targets: Sequence[Target]
    key: Sequence[str]
    any_of: Sequence[str] = ()
    """Targets of which a row has at least one."""
    keeps_others: bool = False
    """Whether columns that fill no target become the JSON of `attributes`."""
    opt_outs: OptOuts | None = None
    """What goes on the stop list."""
    refusals: Sequence[tuple[str, str]] = ()
    """Further reasons to quarantine a row: a condition over the targets, and the reason."""

    def feed(self) -> Feed:
        """This as a feed that can be loaded."""
        return Feed(
            name=self.name,
            dataset=self.dataset,
            table=self.table,
            tables=self.tables,
            key=self.key,
            suffixes=SUFFIXES,
            targets=tuple(target.name for target in self.targets),
            parse=self.parse,
            select_rows=self.select_rows,
            opt_outs=self.opt_outs,
            required=self.required,
            any_of=self.any_of,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The targets by name."""
        return tuple(target.name for target in self.targets)

    @property
    def required(self) -> frozenset[str]:
        """The targets a row must have."""
        return frozenset(target.name for target in self.targets if target.is_required)

    def parse(
        self, parser: duckdb.DuckDBPyConnection, file: File, mapping: Mapping[str, str]
    ) -> Iterator[Parsed]:
        """Parse one file; what it is, its name tells.

        Args:
            parser: A DuckDB in memory, in UTC.
            file: The file.
            mapping: Source columns by target.

        Yields:
            Records and quarantined rows, a batch for each block of the file.

        Raises:
            UsageError: A column that is wanted is not in the file, or it is not what its name says.
        """
        for block in read_blocks(parser, file, self, mapping):
            yield _parse(self, parser, block, file.path)

    def select_rows(self, block: Block) -> str:
        """The query that types the rows of a block; `refusal` says why a row is refused."""
        return _sql(self, block)


def _parse(feed: RowFeed, parser: duckdb.DuckDBPyConnection, block: Block, path: str) -> Parsed:
    parser.register("file_rows", block.rows)
    table = parser.execute(_sql(feed, block)).to_arrow_table()
    parser.unregister("file_rows")
    reasons = table.column("refusal").combine_chunks()
    records = table.filter(pc.is_null(reasons)).drop_columns(["refusal"])
    records = records.append_column("source_file", pa.repeat(path, records.num_rows))
    is_bad = pc.is_valid(reasons)
    originals = block.originals
    if originals is None:
        originals = table.column("payload").combine_chunks().cast(pa.binary())
    # rows keep their order, so what is bad there is bad here
    bad = quarantine_lines(
        feed.name,
        path,
        reasons.filter(is_bad),
        table.column("source_line").combine_chunks().filter(is_bad),
        originals.filter(is_bad),
    )
    return Parsed(records, pa.concat_tables([quarantine(feed.name, path, block.refused), bad]))


def _sql(feed: RowFeed, block: Block) -> str:
    values = {name: block.values.get(name, "cast(null as varchar)") for name in feed.names}
    texts = ", ".join(f"{value} as text_{name}" for name, value in values.items())
    columns = ", ".join(
        f"{typed(target.kind, f'text_{target.name}')} as {target.name}" for target in feed.targets
    )
    attributes = f"{block.others} as attributes, " if feed.keeps_others else ""
    kept = "attributes, " if feed.keeps_others else ""
    return f"""
        with texts as (
            select
                {texts}, {attributes}{block.payload} as payload,
                {block.broken} as broken, {block.line} as source_line
            from {block.relation}
        ),

        typed as (
            select {columns}, {", ".join(f"text_{name}" for name in values)},
                {kept}payload, source_line, broken
            from texts
        )

        select {", ".join(feed.names)}, {kept}payload, source_line, {_reason(feed)} as refusal
        from typed
    """  # noqa: S608 - declared names and quoted sources


def _reason(feed: RowFeed) -> str:
    cases = ["when broken is not null then broken"]
    for target in feed.targets:
        if target.is_required:
            cases.append(f"when text_{target.name} is null then '{target.name} is empty'")
        if target.kind != "text":
            cases.append(
                f"when text_{target.name} is not null and {target.name} is null "
                f"then '{target.name} is not {wanted(target.kind)}'"
            )
    if feed.any_of:
        names = ", ".join(f"text_{name}" for name in feed.any_of)
        cases.append(
            f"when coalesce({names}) is null then '{', '.join(feed.any_of)} are all empty'"
        )
    cases += [f"when {condition} then '{reason}'" for condition, reason in feed.refusals]
    return f"case {' '.join(cases)} end"
