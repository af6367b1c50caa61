"""Which manual segment of Customer.io's a label means: found by its name, or made.

A data-driven segment cannot be changed, and one that is not there is made only where the sync says
`create_segments: true`; until then its rows stay planned.

https://docs.customer.io/integrations/api/app/#tag/segments
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverse_etl.contract import Reply
    from reverse_etl.destinations.customerio_app import AppApi


@dataclass(frozen=True)
class Found:
    """A segment's id, or why there is none to use.

    Attributes:
        segment: The id.
        reason: Why there is none.
        is_absent: No segment has the name.
    """

    segment: str | None
    reason: str = ""
    is_absent: bool = False


@dataclass(frozen=True)
class SegmentDirectory:
    """The segments of a workspace by their names, as far as they were needed.

    Attributes:
        app: Where they are listed and made.
        may_make: Whether a segment that is not there is made.
        known: What was found.
    """

    app: AppApi
    may_make: bool
    known: dict[str, Found] = field(default_factory=dict)

    def locate(self, name: str) -> Found | Reply:
        """Find the segment of a name, and make it if that is allowed; or what hindered asking."""
        if name not in self.known:
            found = self._find(name)
            if not isinstance(found, Found):
                return found
            self.known[name] = found
        return self.known[name]

    def _find(self, name: str) -> Found | Reply:
        listed = self.app.segments()
        if not isinstance(listed, list):
            return listed
        named = [segment for segment in listed if segment["name"] == name]
        manual = [str(segment["id"]) for segment in named if segment["type"] == "manual"]
        if len(manual) == 1:
            return Found(manual[0])
        if manual:
            return Found(None, "several manual segments have the audience's name: keep one")
        if named:
            return Found(None, "the segment of the audience's name is data-driven: rename it")
        if not self.may_make:
            reason = "no manual segment has the audience's name, and create_segments is not true"
            return Found(None, reason, is_absent=True)
        made = self.app.make_segment(name)
        return Found(made) if isinstance(made, str) else made
