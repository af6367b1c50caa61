"""The plainest channel: every record takes the same path, and a batch is one body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.contract import Change, Limits, Reply

Post: TypeAlias = "Callable[[str, bytes, int], Reply]"
"""Makes one attempt with a path, a body and the number of its records, and reads the reply."""


@dataclass(frozen=True)
class Posted:
    """A channel that joins its records and posts them to one path.

    Attributes:
        path: Where to.
        limits: What one request may carry.
        encode: One change as bytes; raises `Refused` where it breaks a rule.
        post: Makes one attempt.
    """

    path: str
    limits: Limits
    encode: Callable[[Change], bytes] = field(repr=False)
    post: Post = field(repr=False)

    def route(self, _change: Change) -> str:
        """All records share requests."""
        return self.path

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Make one attempt at a batch."""
        return self.post(route, self.limits.join(records), len(records))
