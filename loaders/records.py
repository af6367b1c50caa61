"""Records of a CSV file: lines, joined where a quoted value spans several."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.lines import Lines, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SPAN_LINES = 1_000
"""A quoted value over more lines than this is taken for a quote that was never closed."""

_QUOTED = re.compile(rb'(^|[,;\t|])"(?:[^"]|"")*"(?=[,;\t|]|\Z)')
_OPENING = re.compile(rb'(?:^|[,;\t|])"')
_UNCLOSED = "a quote is opened and never closed"


@dataclass(frozen=True)
class Records:
    """Records of one block: the line each starts on, and its bytes."""

    numbers: pa.Array
    values: pa.Array
    refused: list[Refused] = field(default_factory=list)


@dataclass
class _Joints:
    """Where lines belong together: spans (first, last), broken lines, and what is left open."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    open_from: int | None = None


def join_records(blocks: Iterable[Lines]) -> Iterator[Records]:
    """Join lines into records; empty lines between records are dropped.

    Only lines with an odd number of quotes are looked at one by one.

    Args:
        blocks: Lines, blank ones included.

    Yields:
        Records. A quote that is never closed refuses the line that opens it, and the lines after
        it are read as if it were not there.
    """
    rest = Lines(pa.array([], pa.int64()), pa.array([], pa.binary()))
    for block in blocks:
        lines = Lines(
            pa.concat_arrays([rest.numbers, block.numbers]),
            pa.concat_arrays([rest.values, block.values]),
        )
        joints = _find_joints(lines.values, is_last=False)
        end = len(lines.values) if joints.open_from is None else joints.open_from
        records = _join(lines.numbers.slice(0, end), lines.values.slice(0, end), joints)
        yield Records(records.numbers, records.values, block.refused + records.refused)
        rest = Lines(lines.numbers.slice(end), lines.values.slice(end))
    if len(rest.values):
        yield _join(rest.numbers, rest.values, _find_joints(rest.values, is_last=True))


def _find_joints(values: pa.Array, *, is_last: bool) -> _Joints:
    quotes = np.asarray(pc.count_substring(values, '"'))
    odd = np.flatnonzero(quotes % 2).tolist()
    joints = _Joints()
    index = 0
    while index < len(odd):
        line = odd[index]
        index += 1
        if not _opens(values[line].as_py()):
            continue
        closing = odd[index] if index < len(odd) else None
        if closing is not None and _closes(values, line, closing):
            joints.spans.append((line, closing))
            index += 1
        elif closing is None and not is_last and len(values) - line <= SPAN_LINES:
            joints.open_from = line
            return joints
        else:
            joints.broken.append(line)
    return joints


def _opens(line: bytes) -> bool:
    """Whether a quote at the start of a value stays open; one inside a value is a character."""
    return _OPENING.search(_QUOTED.sub(rb"\1", line)) is not None


def _closes(values: pa.Array, first: int, last: int) -> bool:
    """Whether the value opened on the first line is closed on the last, as a whole value.

    Quotes inside it are doubled, so the next line with an odd number of them is the only candidate.
    """
    return last - first <= SPAN_LINES and not _opens(_together(values, first, last))


def _together(values: pa.Array, first: int, last: int) -> bytes:
    return b"\n".join(values.slice(first, last - first + 1).to_pylist())


def _join(numbers: pa.Array, values: pa.Array, joints: _Joints) -> Records:
    starts = np.asarray(pc.binary_length(values)) > 0
    is_span = np.zeros(len(values), dtype=bool)
    joined: list[bytes] = []
    for first, last in joints.spans:
        starts[first] = True
        starts[first + 1 : last + 1] = False
        is_span[first] = True
        joined.append(_together(values, first, last))
    refused = [Refused(numbers[i].as_py(), _UNCLOSED, values[i].as_py()) for i in joints.broken]
    starts[joints.broken] = False
    if joined:
        values = pc.replace_with_mask(values, pa.array(is_span), pa.array(joined, pa.binary()))
    mask = pa.array(starts)
    return Records(numbers.filter(mask), values.filter(mask), refused)
