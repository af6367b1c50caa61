from __future__ import annotations

from io import BytesIO

import pytest

from loaders.lines import Refused, read_lines
from loaders.records import join_records


def join(data: bytes, block_bytes: int) -> tuple[list[tuple[int, bytes]], list[Refused]]:
    records: list[tuple[int, bytes]] = []
    refused: list[Refused] = []
    blocks = read_lines(BytesIO(data), block_bytes=block_bytes, keeps_blank=True)
    for block in join_records(blocks):
        records += zip(block.numbers.to_pylist(), block.values.to_pylist(), strict=True)
        refused += block.refused
    return records, refused


@pytest.mark.parametrize("block_bytes", [1, 5, 1000])
def test_a_quoted_value_spans_lines_and_blocks(block_bytes: int) -> None:
    data = b'a,"one\n\ntwo ""2""\nthree",b\n\nc,d\n"x\n"'
    assert join(data, block_bytes) == (
        [(1, b'a,"one\n\ntwo ""2""\nthree",b'), (6, b"c,d"), (7, b'"x\n"')],
        [],
    )


@pytest.mark.parametrize("block_bytes", [1, 5, 1000])
def test_a_quote_open_at_the_end_refuses_its_line_alone(block_bytes: int) -> None:
    records, refused = join(b'a,b\nc,"open\nd,e\nf,5" disk\n', block_bytes)
    assert records == [(1, b"a,b"), (3, b"d,e"), (4, b'f,5" disk')]
    assert [(each.line, each.original) for each in refused] == [(2, b'c,"open')]
