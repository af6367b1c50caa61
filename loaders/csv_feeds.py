"""Feeds of CSV files with a column mapping: what is wanted, and how a text becomes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from loaders.bookkeeping import quarantine, quarantine_lines
from loaders.csv_rows import Rows, read_rows
from loaders.feeds import Feed, Parsed
from loaders.locations import File, open_file
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from warehouse.raw_tables import Columns

SUFFIXES = (".csv", ".csv.gz")

Kind = Literal["text", "instant", "money", "flag"]

# Nine or ten digits are unix seconds (since 1973); else ISO 8601, without an offset in UTC.
_AS = {
    "text": "{value}",
    "instant": (
        "case when regexp_full_match({value}, '[0-9]{{9,10}}') "
        "then make_timestamp(try_cast({value} as bigint) * 1000000) "
        "when {value}[1] between '0' and '9' "
        "then timezone('UTC', try_cast({value} as timestamp with time zone)) end"
    ),
    "money": "try_cast({value} as decimal(18, 4))",
    "flag": (
        "case when lower({value}) in ('true', '1', 'yes') then true "
        "when lower({value}) in ('false', '0', 'no') then false end"
    ),
}
_WANTED = {
    "text": "a text",
    "instant": "an instant in ISO 8601 or unix seconds",
    "money": "an amount such as 1234.50",
    "flag": "true or false",
}


@dataclass(frozen=True)
class Target:
    """A column of the warehouse that a column of the file fills."""

    name: str
    kind: Kind = "text"
    is_required: bool = False
    """Whether a row without it, or with a value that does not fit, is quarantined."""


@dataclass(frozen=True)
class CsvFeed:
    """What a feed of CSV files wants."""

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
        )

    def parse(
        self, parser: duckdb.DuckDBPyConnection, file: File, mapping: Mapping[str, str]
    ) -> Iterator[Parsed]:
        """Parse one file.

        Args:
            parser: A DuckDB in memory, in UTC.
            file: The file.
            mapping: Source columns by target.

        Yields:
            Records and quarantined rows, a batch for each block of the file.

        Raises:
            UsageError: A column that is wanted is not in the file.
        """
        with open_file(file) as stream:
            for rows in read_rows(stream, file.path):
                sources = _sources(self, rows.headers, mapping, file.path)
                yield _parse(self, parser, rows, sources, file.path)


def _sources(
    feed: CsvFeed, headers: Sequence[str], mapping: Mapping[str, str], path: str
) -> dict[str, str]:
    """The engine's column (`c3`) that fills each target, for the targets the file has."""
    folded = {name.casefold(): index for index, name in reversed(list(enumerate(headers)))}
    exact = {name: index for index, name in enumerate(headers)}
    sources: dict[str, str] = {}
    for target in feed.targets:
        wanted = mapping.get(target.name, target.name)
        index = exact.get(wanted, folded.get(wanted.casefold()))
        if index is not None:
            sources[target.name] = f"c{index}"
        elif target.is_required or target.name in mapping:
            raise UsageError(_explain(feed, path, f"the column {wanted}", headers, target.name))
    if feed.any_of and not any(name in sources for name in feed.any_of):
        wanted = f"any of the columns {', '.join(feed.any_of)}"
        raise UsageError(_explain(feed, path, wanted, headers, feed.any_of[0]))
    return sources


def _explain(feed: CsvFeed, path: str, wanted: str, headers: Sequence[str], example: str) -> str:
    return (
        f"{path} lacks {wanted}, which {feed.name} needs; its columns are: {', '.join(headers)}. "
        f'Say which one it is: --column {example}="its name", or {example} = "its name" under '
        f"[loaders.{feed.name}.columns] in .dlt/config.toml."
    )


def _parse(
    feed: CsvFeed,
    parser: duckdb.DuckDBPyConnection,
    rows: Rows,
    sources: Mapping[str, str],
    path: str,
) -> Parsed:
    parser.register("file_rows", rows.table.append_column("source_line", rows.numbers))
    table = parser.execute(_sql(feed, rows.headers, sources)).to_arrow_table()
    parser.unregister("file_rows")
    reasons = table.column("reason").combine_chunks()
    records = table.filter(pc.is_null(reasons)).drop_columns(["reason"])
    records = records.append_column("source_file", pa.repeat(path, records.num_rows))
    # rows keep their order, so what is bad there is bad here
    is_bad = pc.is_valid(reasons)
    bad = quarantine_lines(
        feed.name,
        path,
        reasons.filter(is_bad),
        rows.numbers.filter(is_bad),
        rows.originals.filter(is_bad),
    )
    return Parsed(records, pa.concat_tables([quarantine(feed.name, path, rows.refused), bad]))


def _sql(feed: CsvFeed, headers: Sequence[str], sources: Mapping[str, str]) -> str:
    values = {target.name: _value(sources.get(target.name)) for target in feed.targets}
    typed = ", ".join(
        f"{_AS[target.kind].format(value=values[target.name])} as {target.name}"
        for target in feed.targets
    )
    every = {f"c{index}": name for index, name in enumerate(headers)}
    others = {column: name for column, name in every.items() if column not in sources.values()}
    attributes = f"{_json(others)} as attributes, " if feed.keeps_others else ""
    raw = ", ".join(f"{value} as text_{name}" for name, value in values.items())
    return f"""
        with typed as (
            select {typed}, {raw}, {attributes}{_json(every)} as payload, source_line
            from file_rows
        )

        select * exclude ({", ".join(f"text_{name}" for name in values)}), {_reason(feed)} as reason
        from typed
    """  # noqa: S608 - declared names and quoted headers


def _value(column: str | None) -> str:
    return "cast(null as varchar)" if column is None else f"nullif(trim({column}), '')"


def _json(columns: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{_literal(name)}, {column}" for column, name in columns.items())
    return f"json_object({pairs})::varchar"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _reason(feed: CsvFeed) -> str:
    cases = []
    for target in feed.targets:
        if target.is_required:
            cases += [
                f"when text_{target.name} is null then '{target.name} is empty'",
                f"when {target.name} is null then '{target.name} is not {_WANTED[target.kind]}'",
            ]
    if feed.any_of:
        names = ", ".join(f"text_{name}" for name in feed.any_of)
        cases.append(
            f"when coalesce({names}) is null then '{', '.join(feed.any_of)} are all empty'"
        )
    return f"case {' '.join(cases)} end" if cases else "cast(null as varchar)"
