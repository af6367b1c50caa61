"""Identifiers in the shapes the vendor gives them, a whole column at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from fakes.world.deliveries import Deliveries
    from fakes.world.settings import Ints, WorldSettings

Bytes = npt.NDArray[np.uint8]

# Crockford's base 32, https://github.com/ulid/spec
_CROCKFORD = np.frombuffer(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", dtype=np.uint8)
_URL_SAFE = np.frombuffer(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", dtype=np.uint8
)
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_DELIVERY_ID_LENGTH = 28
_PADDED_SHARE = 0.1


def _strings(letters: Bytes) -> pa.Array:
    """A text array from a matrix of ASCII letters, one row a value."""
    rows, width = letters.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    return pa.StringArray.from_buffers(
        rows, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters))
    )


def ulids(milliseconds: Ints, rng: np.random.Generator) -> pa.Array:
    """One ULID for each instant: 48 bits of time, then 80 random bits.

    Args:
        milliseconds: unix milliseconds.
        rng: where the random bits come from.
    """
    letters = np.empty((len(milliseconds), 26), dtype=np.uint8)
    shifts = np.arange(45, -1, -5, dtype=np.int64)
    letters[:, :10] = _CROCKFORD[(milliseconds[:, None] >> shifts) & 31]
    noise = np.frombuffer(rng.bytes(len(milliseconds) * 16), dtype=np.uint8).reshape(-1, 16)
    letters[:, 10:] = _CROCKFORD[noise & 31]
    return _strings(letters)


def delivery_ids(count: int, rng: np.random.Generator) -> pa.Array:
    """Delivery ids: url-safe base 64, some of them with padding at the end."""
    noise = np.frombuffer(rng.bytes(count * _DELIVERY_ID_LENGTH), dtype=np.uint8)
    letters = _URL_SAFE[noise.reshape(-1, _DELIVERY_ID_LENGTH) & 63]
    padded = rng.random(count) < _PADDED_SHARE
    letters[padded, -2:] = ord("=")
    return _strings(letters)


def cio_ids(numbers: Ints) -> pa.Array:
    """Canonical ids: the workspace's prefix and a counter in hexadecimal."""
    letters = np.empty((len(numbers), 14), dtype=np.uint8)
    letters[:, :6] = np.frombuffer(b"d9c106", dtype=np.uint8)
    shifts = np.arange(28, -1, -4, dtype=np.int64)
    letters[:, 6:] = _HEX[(numbers[:, None] >> shifts) & 15]
    return _strings(letters)


@dataclass(frozen=True)
class MessageIds:
    """Of each delivery, its own id and that of the journey it was made on."""

    delivery: pa.Array
    journey: pa.Array


def message_ids(settings: WorldSettings, deliveries: Deliveries, journeys: Ints) -> MessageIds:
    """Ids of deliveries, the same whichever feed tells of them.

    Args:
        settings: the seed.
        deliveries: the messages.
        journeys: the second at which each journey began.
    """
    rng = settings.stream("delivery ids")
    journey = ulids(journeys * 1000, rng).take(pa.array(deliveries.entry))
    return MessageIds(delivery_ids(deliveries.count, rng), journey)
