from __future__ import annotations

import gzip
from io import BytesIO

import pytest

from loaders.documents import read_documents


def documents(data: bytes, **options: int) -> tuple[list[tuple[int, bytes]], list[str]]:
    found: list[tuple[int, bytes]] = []
    reasons: list[str] = []
    for lines in read_documents(BytesIO(data), **options):
        found += zip(lines.numbers.to_pylist(), lines.values.to_pylist(), strict=True)
        reasons += [each.reason for each in lines.refused]
    return found, reasons


WHOLE = [b'{\n"a": 1\n}\n', b"[\n\n1,\n2]", b'[{"a": 1},\n{"a": 2}]', b'{"a":\n[1]\n}']


@pytest.mark.parametrize("data", WHOLE)
def test_one_document_over_many_lines_is_one(data: bytes) -> None:
    without_blank = b"\n".join(line for line in data.splitlines() if line)
    assert documents(b"\n" + data) == ([(2, without_blank)], [])
    assert documents(gzip.compress(data)) == ([(1, without_blank)], [])


def test_a_document_a_line_stays_so() -> None:
    assert documents(b'{"a": 1}\n\n{"a": 2}\n') == ([(1, b'{"a": 1}'), (3, b'{"a": 2}')], [])
    assert documents(b"") == ([], [])
    assert documents(b"[1]") == ([(1, b"[1]")], [])


@pytest.mark.parametrize(
    "data", [b'{"a": \n{"a": 2}\n{"a": 3}', b'{"a":\n1\n{"a": 2}', b"words\n1"]
)
def test_a_broken_document_loses_no_other_line(data: bytes) -> None:
    expected = list(enumerate(data.split(b"\n"), start=1))
    assert documents(data) == (expected, [])


def test_a_document_over_the_limit_is_refused_once() -> None:
    data = b"[\n" + b"1,\n" * 50 + b"1]"
    found, reasons = documents(data, limit_bytes=100)
    assert found == []
    assert reasons == ["one JSON document of more than 100 bytes: write one batch a line"]
