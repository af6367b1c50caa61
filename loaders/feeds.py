"""What a feed is: where its records go, what makes two the same, and how a file is parsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb
    import pyarrow as pa

    from loaders.locations import File
    from loaders.row_blocks import Block
    from warehouse.raw_tables import Columns


@dataclass(frozen=True)
class Parsed:
    """One batch of a file: rows of the feed's table, and rows of quarantine."""

    records: pa.Table
    quarantined: pa.Table
    others: Mapping[str, pa.Table] = field(default_factory=dict)
    """Rows of further tables of the dataset that come out of the same records, by table."""
    table: str = ""
    """The table the records are for, where it is not the feed's own."""


class Parse(Protocol):
    """Parses one file in batches; `parser` is a DuckDB in memory, in UTC."""

    def __call__(
        self, parser: duckdb.DuckDBPyConnection, file: File, mapping: Mapping[str, str]
    ) -> Iterator[Parsed]:
        """Yield the file's batches; `mapping` names source columns by target."""


class SelectRows(Protocol):
    """Writes the query that types rows and says, in `refusal`, why one is refused."""

    def __call__(self, block: Block) -> str:
        """The query over a block."""


@dataclass(frozen=True)
class Arranged:
    """Files in the order they are loaded in, and how many were left out, by reason."""

    files: Sequence[File]
    left_out: Mapping[str, int] = field(default_factory=dict)


def take_all(files: Sequence[File]) -> Arranged:
    """Every file, in the order it was found in."""
    return Arranged(files)


class Arrange(Protocol):
    """Puts files into the order they are to be loaded in."""

    def __call__(self, files: Sequence[File]) -> Arranged:
        """Order files, and leave out what is none of the feed's."""


@dataclass(frozen=True)
class Preferences:
    """Where rows have choices of the subscription center.

    Attributes:
        mark: The column that tells whether a row has any: their attribute's name is in its text.
        column: The column that holds the JSON they are in.
        keys: The keys that lead to them there.
    """

    mark: str
    column: str
    keys: Sequence[str]


@dataclass(frozen=True)
class OptOuts:
    """Which rows of a batch say that somebody wants no more messages.

    Attributes:
        table: The table they are rows of.
        column: The column that says so.
        values: The values that do.
        preferences: Where rows refuse topics or channels, if they do.
        identifiers: The columns that say who.
    """

    table: str
    column: str
    values: Sequence[str | bool]
    preferences: Preferences | None = None
    identifiers: Sequence[str] = ("cio_id", "customer_id", "email")


@dataclass(frozen=True)
class Feed:
    """A kind of file that is loaded."""

    name: str
    """As the command line names it: `orders`."""
    dataset: str
    """The schema it lands in: `raw_commerce`."""
    table: str
    tables: Mapping[str, Columns]
    """All tables of the dataset."""
    key: Sequence[str]
    """Columns of the table; two records that agree in them are one."""
    suffixes: Sequence[str]
    targets: Sequence[str]
    """Columns a mapping may name; none if the feed's format is fixed."""
    parse: Parse
    arrange: Arrange = take_all
    other_keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For feeds of several tables, the key of each further one."""
    select_rows: SelectRows | None = None
    """How rows of a table are typed; nothing if the feed's format is fixed."""

    opt_outs: OptOuts | None = None
    """What goes on the stop list, so that nobody is sent before the next build knows."""
    required: frozenset[str] = frozenset()
    """Targets every row must have."""
    any_of: Sequence[str] = ()
    """Targets of which a row has at least one."""

    @property
    def names(self) -> tuple[str, ...]:
        """The targets by name."""
        return tuple(self.targets)
