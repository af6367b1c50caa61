"""JSON files: a document a line, or one document over many lines."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import orjson
import pyarrow as pa

from loaders.lines import KEPT_BYTES, LINE_LIMIT_BYTES, Lines, Refused, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_documents(stream: BinaryIO, *, limit_bytes: int = LINE_LIMIT_BYTES) -> Iterator[Lines]:
    """Read a file of JSON, plain or gzip, as batches of documents.

    A file whose first line is the start of a document and not a whole one, and whose second line
    is no object by itself, is one document. It is read whole, up to the limit.

    Args:
        stream: The file, open for reading bytes.
        limit_bytes: The longest document; a longer one is refused.

    Yields:
        Documents, with the line each starts on. A file that looks like one document and is not
        valid JSON is passed on line by line, so that no more is lost than has to be.
    """
    blocks = read_lines(stream, limit_bytes=limit_bytes)
    head: list[Lines] = []
    for block in blocks:
        head.append(block)
        if len(block.values):
            break
    if not head or not _begins_document(head[-1].values):
        yield from chain(head, blocks)
        return
    yield from _whole(head, blocks, limit_bytes)


def _begins_document(values: pa.Array) -> bool:
    if len(values) == 0:
        return False
    first = values[0].as_py()
    if first.lstrip()[:1] not in (b"[", b"{") or _load(first) is not None:
        return False
    second = _load(values[1].as_py()) if len(values) > 1 else None
    return not (isinstance(second, dict) and second)


def _whole(head: list[Lines], blocks: Iterator[Lines], limit_bytes: int) -> Iterator[Lines]:
    """The one document of a file; or its lines, if together they are no document."""
    taken: list[Lines] = []
    size = 0
    for block in chain(head, blocks):
        taken.append(block)
        size += block.values.nbytes
        if size > limit_bytes:
            start = b"\n".join(head[-1].values.to_pylist())[:KEPT_BYTES]
            reason = f"one JSON document of more than {limit_bytes} bytes: write one batch a line"
            number = head[-1].numbers[0].as_py()
            yield Lines(
                pa.array([], pa.int64()),
                pa.array([], pa.binary()),
                [Refused(number, reason, start)],
            )
            return
    lines = [value for block in taken for value in block.values.to_pylist()]
    document = b"\n".join(lines)
    if _load(document) is None:
        yield from taken
        return
    numbers = pa.array(head[-1].numbers[:1])
    refused = [each for block in taken for each in block.refused]
    yield Lines(numbers, pa.array([document], pa.binary()), refused)


def _load(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
