"""Lines of a file as Arrow, split with numpy: no work per line in Python."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from gzip import BadGzipFile, GzipFile
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

BLOCK_BYTES = 16 * 2**20
"""One block is one batch: large enough for vectors, small enough that ten fit in memory."""

LINE_LIMIT_BYTES = 64 * 2**20
"""A longer line is not read whole; nothing a vendor sends comes near (events are under 1 MB)."""

KEPT_BYTES = 2**20
"""What is kept of a line over the limit."""

_PIECE_BYTES = 2**16

_NEWLINE, _RETURN, _SPACE = 10, 13, 32
_WHITE = np.frombuffer(b"\t\n\v\f\r ", dtype=np.uint8)
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Refused:
    """Bytes that cannot be a record, with the reason and the line they start on."""

    line: int
    reason: str
    original: bytes


@dataclass(frozen=True)
class Lines:
    """Lines of one block: their numbers (from 1) and their bytes, and what was refused."""

    numbers: pa.Array
    values: pa.Array
    refused: list[Refused] = field(default_factory=list)


@dataclass
class _Reading:
    """The rules of one reading, and how far it is: the number of the next line."""

    limit_bytes: int
    keeps_blank: bool
    line: int = 1


def read_lines(
    stream: BinaryIO,
    *,
    block_bytes: int = BLOCK_BYTES,
    limit_bytes: int = LINE_LIMIT_BYTES,
    keeps_blank: bool = False,
) -> Iterator[Lines]:
    r"""Read a file, plain or gzip, as batches of lines.

    Args:
        stream: The file, open for reading bytes.
        block_bytes: How much to read at a time.
        limit_bytes: The longest line; a longer one is refused, and the file goes on after it.
        keeps_blank: Whether lines of nothing but white space are passed on.

    Yields:
        Lines without their `\n` or `\r\n`, numbered as in the file. A byte order mark is dropped.
        A damaged gzip file yields what could be read, then one refusal for the rest.
    """
    reading = _Reading(limit_bytes, keeps_blank)
    carry = b""
    skipping: Refused | None = None
    blocks = _blocks(stream, block_bytes)
    for block in blocks:
        if isinstance(block, str):
            yield _refusal(Refused(reading.line, block, carry[:KEPT_BYTES]))
            return
        if skipping is not None:
            end = block.find(b"\n")
            if end < 0:
                continue
            yield _refusal(skipping)
            skipping = None
            reading.line += 1
            block = block[end + 1 :]  # noqa: PLW2901 - the rest of the block, after the long line
        data = carry + block
        end = data.rfind(b"\n") + 1
        if end:
            yield _split(data[:end], reading)
        carry = data[end:]
        if len(carry) > limit_bytes:
            skipping = _too_long(reading, reading.line, carry)
            carry = b""
    if skipping is not None:
        yield _refusal(skipping)
    elif carry:
        yield _split(carry + b"\n", reading)


def _blocks(stream: BinaryIO, block_bytes: int) -> Iterator[bytes | str]:
    """Blocks of the file unpacked, its byte order mark removed; a text says why it ends early."""
    head = stream.read(len(_GZIP))
    stream.seek(0)
    blocks = _unpacked(stream, block_bytes) if head == _GZIP else _plain(stream, block_bytes)
    is_first = True
    for block in blocks:
        yield block.removeprefix(_BOM) if is_first and isinstance(block, bytes) else block
        is_first = False


def _plain(stream: BinaryIO, block_bytes: int) -> Iterator[bytes | str]:
    while block := stream.read(block_bytes):
        yield block


def _unpacked(stream: BinaryIO, block_bytes: int) -> Iterator[bytes | str]:
    """Blocks of a gzip file, read in small pieces so that damage loses no more than one."""
    source = GzipFile(fileobj=stream)
    pieces: list[bytes] = []
    damage = ""
    while not damage:
        try:
            piece = source.read1(_PIECE_BYTES)
        except (BadGzipFile, EOFError, zlib.error):
            piece = b""
            damage = "the gzip file is damaged or cut off here; what follows could not be read"
        pieces.append(piece)
        if not piece or sum(map(len, pieces)) >= block_bytes:
            if block := b"".join(pieces):
                yield block
            pieces.clear()
        if not piece:
            break
    if damage:
        yield damage


def _too_long(reading: _Reading, line: int, content: bytes) -> Refused:
    reason = f"the line is longer than {reading.limit_bytes} bytes; its first {KEPT_BYTES} are kept"
    return Refused(line, reason, content[:KEPT_BYTES])


def _refusal(refused: Refused) -> Lines:
    return Lines(pa.array([], pa.int64()), pa.array([], pa.binary()), [refused])


def _split(data: bytes, reading: _Reading) -> Lines:
    """Split bytes that end with a newline."""
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(raw == _NEWLINE)
    starts = np.concatenate(([0], ends[:-1] + 1))
    numbers = np.arange(reading.line, reading.line + len(ends), dtype=np.int64)
    reading.line += len(ends)

    stays = np.ones(len(raw), dtype=bool)
    stays[ends] = False
    before = ends[ends > starts] - 1
    returns = before[raw[before] == _RETURN]
    stays[returns] = False
    lengths = ends - starts
    lengths[np.searchsorted(ends, returns)] -= 1
    values = _binary(raw[stays], lengths)
    is_taken = lengths <= reading.limit_bytes
    refused = [
        _too_long(reading, int(numbers[index]), values[index].as_py())
        for index in np.flatnonzero(~is_taken).tolist()
    ]
    if not reading.keeps_blank:
        is_taken &= ~_is_blank(raw, starts, lengths)
    if is_taken.all():
        return Lines(pa.array(numbers), values)
    mask = pa.array(is_taken)
    return Lines(pa.array(numbers).filter(mask), values.filter(mask), refused)


def _binary(raw: npt.NDArray[np.uint8], lengths: npt.NDArray[np.int64]) -> pa.Array:
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(raw)]
    return pa.Array.from_buffers(pa.binary(), len(lengths), buffers)


def _is_blank(
    raw: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Lines of nothing but white space; only those that start with some are looked at closely."""
    is_blank: npt.NDArray[np.bool_] = lengths == 0
    suspects = np.flatnonzero(~is_blank & (raw[starts] <= _SPACE))
    if len(suspects):
        # other control characters are content, if none that means anything
        is_mark = (~np.isin(raw, _WHITE)).astype(np.int64)
        marks = np.add.reduceat(is_mark, starts)
        is_blank[suspects] = marks[suspects] == 0
    return is_blank
