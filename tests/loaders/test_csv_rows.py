from __future__ import annotations

import csv
import gzip
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.csv_rows import read_rows
from loaders.records import SPAN_LINES
from warehouse.errors import UsageError

Read = tuple[list[str], list[tuple[int, tuple[str, ...]]], list[tuple[int, str, bytes]]]


def read(data: bytes) -> Read:
    headers: list[str] = []
    rows: list[tuple[int, tuple[str, ...]]] = []
    refused: list[tuple[int, str, bytes]] = []
    for block in read_rows(BytesIO(data), "orders.csv"):
        headers = block.headers
        columns = [block.table.column(name).to_pylist() for name in block.table.column_names]
        rows += zip(block.numbers.to_pylist(), zip(*columns, strict=True), strict=True)
        refused += [(each.line, each.reason, each.original) for each in block.refused]
        assert len(block.originals) == len(block.numbers)
    return headers, rows, refused


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=12))
def test_what_a_csv_writer_wrote_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)
    headers, found, refused = read(text.getvalue().encode())
    assert headers == ["a", "b", "c"]
    assert [values for _, values in found] == rows
    assert refused == []


def test_rows_are_numbered_by_the_line_they_start_on() -> None:
    data = b'a,b\r\n1,"two\r\nlines"\r\n\r\n2,"say ""hi"""\r\n3,5" disk\r\n'
    _, rows, refused = read(data)
    assert rows == [(2, ("1", "two\nlines")), (5, ("2", 'say "hi"')), (6, ("3", '5" disk'))]
    assert refused == []


def test_broken_rows_are_refused_as_they_came_and_the_others_are_read() -> None:
    data = b'a,b\n1,2\n1,2,3\n1\n\xff,2\n3,"open\n4,5" disk\n5,6\n'
    _, rows, refused = read(data)
    assert rows == [(2, ("1", "2")), (7, ("4", '5" disk')), (8, ("5", "6"))]
    assert sorted(refused) == [
        (3, "3 values where the header has 2", b"1,2,3"),
        (4, "1 values where the header has 2", b"1"),
        (5, "not valid UTF-8", b"\xff,2"),
        (6, "a quote is opened and never closed", b'3,"open'),
    ]


def test_a_quote_left_open_takes_no_more_than_its_own_line() -> None:
    lines = b"".join(b"%d,x\n" % number for number in range(SPAN_LINES + 5))
    _, rows, refused = read(b'a,b\n0,"open\n' + lines + b'1,y"\n')
    assert len(rows) == SPAN_LINES + 6
    assert [(line, original) for line, _, original in refused] == [(2, b'0,"open')]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_header_tells_the_delimiter(delimiter: str) -> None:
    data = f'\ufeff"first name"{delimiter} b\n"x{delimiter}y"{delimiter}2\n'.encode()
    expected: Read = (["first name", "b"], [(2, (f"x{delimiter}y", "2"))], [])
    assert read(data) == expected
    assert read(gzip.compress(data)) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "orders.csv is empty"),
        (b"\n\n", "orders.csv is empty"),
        (b"a,b,a\n1,2,3\n", "more than one column 'a'"),
        (b"\xff\xfe,b\n", "not UTF-8"),
    ],
)
def test_a_header_that_cannot_be_used_names_the_file(data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(data)
