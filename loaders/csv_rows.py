"""Rows of a CSV file as text, with the line each starts on; broken rows apart, as they came."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from loaders.lines import Refused, read_lines
from loaders.records import Records, join_records
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Rows:
    """Rows of one block: every column as text, in the file's order and unnamed.

    `table` has the columns `c0`, `c1` …; `numbers` and `originals` are of its length.
    """

    headers: list[str]
    table: pa.Table
    numbers: pa.Array
    originals: pa.Array
    refused: list[Refused] = field(default_factory=list)


def read_rows(stream: BinaryIO, path: str) -> Iterator[Rows]:
    """Read a CSV file, plain or gzip, in batches.

    The first line that is not blank holds the headers, and tells the delimiter: a comma,
    semicolon, tab or bar. Quotes are doubled inside quotes; quoted values may span lines.

    Args:
        stream: The file, open for reading bytes.
        path: Its name, for messages.

    Yields:
        Rows. What has another number of values than there are headers, or is not UTF-8, or opens
        a quote that is never closed, is refused, and the file goes on after it.

    Raises:
        UsageError: The file has no header, or two headers of one name.
    """
    headers: list[str] = []
    delimiter = ","
    for records in join_records(read_lines(stream, keeps_blank=True)):
        start = 0
        if not headers and len(records.numbers):
            start = 1
            headers, delimiter = _headers(records.values[0].as_py(), path)
        yield _rows(records, start, headers, delimiter)
    if not headers:
        message = f"{path} is empty: it needs a first line with the names of its columns"
        raise UsageError(message)


def _headers(first: bytes, path: str) -> tuple[list[str], str]:
    try:
        line = first.decode("utf-8")
    except UnicodeDecodeError:
        message = f"{path} is not UTF-8 text; save it as CSV in UTF-8"
        raise UsageError(message) from None
    delimiter = max(_DELIMITERS, key=line.count)
    headers = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    twice = sorted({name for name in headers if headers.count(name) > 1})
    if twice:
        message = f"{path} has more than one column {', '.join(map(repr, twice))}; rename one"
        raise UsageError(message)
    return headers, delimiter


def _rows(records: Records, start: int, headers: list[str], delimiter: str) -> Rows:
    numbers, values = records.numbers.slice(start), records.values.slice(start)
    refused = list(records.refused)
    is_text = _is_text(values)
    if is_text is not None:
        refused += _refuse(numbers, values, pc.invert(is_text), "not valid UTF-8")
        numbers, values = numbers.filter(is_text), values.filter(is_text)
    table, broken = _parse(values, headers, delimiter)
    if broken:
        is_good = pa.array([index not in broken for index in range(len(numbers))])
        for index, count in broken.items():
            reason = f"{count} values where the header has {len(headers)}"
            refused.append(Refused(numbers[index].as_py(), reason, values[index].as_py()))
        numbers, values = numbers.filter(is_good), values.filter(is_good)
    return Rows(headers, table, numbers, values, refused)


def _refuse(numbers: pa.Array, values: pa.Array, mask: pa.Array, reason: str) -> list[Refused]:
    pairs = zip(numbers.filter(mask).to_pylist(), values.filter(mask).to_pylist(), strict=True)
    return [Refused(number, reason, original) for number, original in pairs]


def _is_text(values: pa.Array) -> pa.Array | None:
    """Which values are UTF-8, or nothing if all are."""
    try:
        values.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_decodes(value) for value in values.to_pylist()])
    return None


def _decodes(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _parse(values: pa.Array, headers: list[str], delimiter: str) -> tuple[pa.Table, dict[int, int]]:
    """The values by column, and of those with a wrong number, the number by index."""
    names = [f"c{index}" for index in range(len(headers))]
    broken: dict[int, int] = {}
    if len(values) == 0:
        return pa.table({name: pa.array([], pa.string()) for name in names}), broken

    def skip(row: pa_csv.InvalidRow) -> str:
        # rows are numbered from 1 when names are given and one thread reads
        broken[row.number - 1] = row.actual_columns
        return "skip"

    data = _file_of(values)
    table = pa_csv.read_csv(
        pa.BufferReader(data),
        read_options=pa_csv.ReadOptions(
            column_names=names, use_threads=False, block_size=data.size + 1
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    return table, broken


def _file_of(values: pa.Array) -> pa.Buffer:
    """The records as the bytes of a file."""
    ends = pa.array([0, len(values)], pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(ends, values), b"\n")
    return pa.py_buffer(joined[0].as_py() + b"\n")
