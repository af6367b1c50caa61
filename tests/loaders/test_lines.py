from __future__ import annotations

import gzip
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.lines import KEPT_BYTES, Refused, read_lines


def read(
    data: bytes, *, block_bytes: int = 7, limit_bytes: int = 10_000, keeps_blank: bool = False
) -> tuple[list[tuple[int, bytes]], list[Refused]]:
    lines: list[tuple[int, bytes]] = []
    refused: list[Refused] = []
    for block in read_lines(
        BytesIO(data), block_bytes=block_bytes, limit_bytes=limit_bytes, keeps_blank=keeps_blank
    ):
        lines += zip(block.numbers.to_pylist(), block.values.to_pylist(), strict=True)
        refused += block.refused
    return lines, refused


@given(
    lines=st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=20),
    end=st.sampled_from([b"\n", b"\r\n"]),
    is_ended=st.booleans(),
    is_packed=st.booleans(),
    block_bytes=st.integers(1, 50),
)
def test_lines_are_those_of_the_file_whatever_the_blocks(
    *, lines: list[bytes], end: bytes, is_ended: bool, is_packed: bool, block_bytes: int
) -> None:
    lines = [line.rstrip(b"\r") for line in lines]
    if lines and lines[0].startswith((b"\xef\xbb\xbf", b"\x1f\x8b")):
        lines[0] = b"x"
    data = end.join(lines) + (end if is_ended and lines else b"")
    expected = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    packed = gzip.compress(data) if is_packed else data
    assert read(packed, block_bytes=block_bytes) == (expected, [])


def test_blank_lines_are_dropped_or_kept_and_always_counted() -> None:
    data = b"\n  \t\r\na\n\n b \n"
    assert read(data) == ([(3, b"a"), (5, b" b ")], [])
    kept = [(1, b""), (2, b"  \t"), (3, b"a"), (4, b""), (5, b" b ")]
    assert read(data, keeps_blank=True) == (kept, [])


def test_a_byte_order_mark_is_dropped() -> None:
    assert read(b"\xef\xbb\xbf{}\n{}") == ([(1, b"{}"), (2, b"{}")], [])


@pytest.mark.parametrize("end", [b"\nshort", b"\n", b""])
@pytest.mark.parametrize("over", [50, 300_000])
def test_a_line_over_the_limit_is_refused_and_the_file_goes_on(end: bytes, over: int) -> None:
    # a little over ends in the block that shows it; far over, whole blocks are passed by
    long = b"x" * (KEPT_BYTES + over)
    lines, refused = read(b"first\n" + long + end, block_bytes=2**16, limit_bytes=KEPT_BYTES + 10)
    assert lines == [(1, b"first"), *([(3, b"short")] if end == b"\nshort" else [])]
    assert [(each.line, each.original) for each in refused] == [(2, b"x" * KEPT_BYTES)]
    assert f"longer than {KEPT_BYTES + 10} bytes" in refused[0].reason


def test_a_line_at_the_limit_is_read() -> None:
    lines, refused = read(b"x" * 100 + b"\ny", limit_bytes=100)
    assert ([len(line) for _, line in lines], refused) == ([100, 1], [])


@pytest.mark.parametrize("damage", [slice(None, -20), slice(None, 400)])
def test_a_damaged_gzip_file_yields_what_can_be_read_then_says_so(damage: slice) -> None:
    whole = b"".join(b"line %d %d\n" % (number, number**9) for number in range(500))
    lines, refused = read(gzip.compress(whole)[damage], block_bytes=256)
    assert 0 < len(lines) < 500
    assert lines[0] == (1, b"line 0 0")
    assert len(refused) == 1
    assert refused[0].line == len(lines) + 1
    assert "gzip file is damaged" in refused[0].reason


def test_an_empty_file_has_no_lines() -> None:
    assert read(b"") == ([], [])
