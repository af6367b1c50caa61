"""One stretch of a source of rows, as SQL sees it, and how a mapping finds its columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from loaders.lines import Refused

NO_TEXT = "cast(null as varchar)"


class Wanted(Protocol):
    """What a feed asks of a source."""

    @property
    def name(self) -> str:
        """The feed's name, for messages."""

    @property
    def names(self) -> tuple[str, ...]:
        """All targets."""

    @property
    def required(self) -> frozenset[str]:
        """Targets that every row must have."""

    @property
    def any_of(self) -> Sequence[str]:
        """Targets of which a row has at least one."""


@dataclass(frozen=True)
class Block:
    """Rows, and the SQL expressions over them that give each target as text.

    Attributes:
        rows: The rows, registered as `relation`; nothing if `relation` is a table already.
        values: An expression by target, for the targets the source has.
        payload: An expression: the row as JSON text.
        others: An expression: what fills no target, as JSON text.
        broken: An expression: why the row cannot be read at all, or null.
        line: An expression: where in the source the row stands, from 1.
        relation: What the expressions are over.
        originals: The bytes of each row, in the order of `rows`; nothing if `payload` is them.
        refused: What was no row.
    """

    rows: pa.Table | None
    values: Mapping[str, str]
    payload: str
    others: str
    broken: str = NO_TEXT
    line: str = "source_line"
    relation: str = "file_rows"
    originals: pa.Array | None = None
    refused: list[Refused] = field(default_factory=list)


def find_columns(
    feed: Wanted, columns: Sequence[str], mapping: Mapping[str, str], place: str
) -> dict[str, tuple[int, str]]:
    """Which column of a source fills each target.

    Args:
        feed: What is wanted.
        columns: The source's columns, in order.
        mapping: Source columns by target, as somebody wrote them: the exact name, else the name in
            any case, else a column and a dotted path into it: `customer.email`.
        place: The source's name, for messages.

    Returns:
        By target, for those the source has: the column's index, and the path into it or nothing.

    Raises:
        UsageError: A column that is mapped or required is not there.
    """
    exact = {name: index for index, name in enumerate(columns)}
    folded = {name.casefold(): index for index, name in reversed(list(enumerate(columns)))}

    def find(wanted: str) -> tuple[int, str] | None:
        index = exact.get(wanted, folded.get(wanted.casefold()))
        if index is not None:
            return index, ""
        head, _, path = wanted.partition(".")
        index = exact.get(head, folded.get(head.casefold()))
        return (index, path) if index is not None and path else None

    found: dict[str, tuple[int, str]] = {}
    for target in feed.names:
        wanted = mapping.get(target, target)
        at = find(wanted)
        if at is not None:
            found[target] = at
        elif target in feed.required or target in mapping:
            raise UsageError(_explain(feed, place, f"the column {wanted}", columns, target))
    if feed.any_of and not any(name in found for name in feed.any_of):
        wanted = f"any of the columns {', '.join(feed.any_of)}"
        raise UsageError(_explain(feed, place, wanted, columns, feed.any_of[0]))
    return found


def _explain(feed: Wanted, place: str, wanted: str, columns: Sequence[str], example: str) -> str:
    return (
        f"{place} lacks {wanted}, which {feed.name} needs; its columns are: {', '.join(columns)}. "
        f'Say which one it is: --column {example}="its name", or {example} = "its name" under '
        f"[loaders.{feed.name}.columns] in .dlt/config.toml."
    )


def json_path(path: str) -> str:
    """A dotted path as a JSON path in a literal; a part of digits is a place in a list, from 0."""
    parts = (
        f"[{part}]" if part.isdigit() else '."' + part.replace('"', '\\"') + '"'
        for part in path.split(".")
    )
    return literal("$" + "".join(parts))


def trimmed(expression: str) -> str:
    """A text without white space around it; nothing if that is all there is."""
    return f"nullif(trim({expression}), '')"


def literal(text: str) -> str:
    """A text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'
