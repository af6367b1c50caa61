"""What is asked of the App API for each resource, and kept page by page.

Addresses and limits are those of https://docs.customer.io/integrations/api/app/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from loaders.customerio import api_tables as tables
from loaders.customerio.api_client import ApiRefused, segment
from loaders.customerio.api_tables import SEGMENT_MEMBERSHIP, SEGMENT_OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from loaders.customerio.api_client import ApiClient
    from loaders.customerio.api_replies import Answer
    from loaders.customerio.api_spool import Spool
    from loaders.customerio.api_tables import ApiTable

MESSAGE_WINDOW_DAYS = 30
"""Days of messages asked for at once; the vendor allows six months."""

_MESSAGES_A_PAGE = 1_000
_MEMBERS_A_PAGE = 30_000
_NEWSLETTERS_A_PAGE = 100
_ACTIVITIES_A_PAGE = 100
_PEOPLE_A_PAGE = 1_000
_PEOPLE_A_REQUEST = 100
_EVERYBODY = {"filter": {"and": [{"attribute": {"field": "cio_id", "operator": "exists"}}]}}
_MERGES = ("profile_merge", "anon_merge")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as every instant here


@dataclass
class Reading:
    """What the resources of one load share.

    Attributes:
        client: The API.
        spool: Where pages go.
        started_at: When the load started; messages are read up to here.
        messages_from: Since when messages are read.
        merges_from: Merges before are known.
        say: Told how far it is.
        segment_ids: The segments listed, for their members.
    """

    client: ApiClient
    spool: Spool
    started_at: datetime
    messages_from: datetime
    merges_from: datetime
    say: Callable[[str], None]
    segment_ids: list[str] = field(default_factory=list)


Params = dict[str, object]


@dataclass(frozen=True)
class _Listing:
    """A list that comes in pages: every page is kept."""

    table: str
    path: str
    params: Params = field(default_factory=dict)
    content: object = None
    parents: Mapping[str, str] = field(default_factory=dict)


def _pages(
    reading: Reading, listing: _Listing, *, observed_at: datetime | None = None
) -> Iterator[Answer]:
    """Read a list to its end, which is where no `next` comes: an empty page may well have one."""
    start = ""
    while True:
        params = {**listing.params, **({"start": start} if start else {})}
        now = observed_at or reading.client.timing.now()
        if listing.content is None:
            answer = reading.client.get(listing.path, params)
        else:
            answer = reading.client.post(listing.path, params, listing.content)
        if answer is None:
            # removed since it was listed
            return
        if listing.table:
            reading.spool.add(listing.table, answer.body, observed_at=now, parents=listing.parents)
        yield answer
        if not answer.next:
            return
        if answer.next == start:
            message = (
                f"Customer.io's App API gives the same page of {listing.path} again and again. "
                "Nothing was loaded; run it again later."
            )
            raise ApiRefused(message)
        start = answer.next


def _exhaust(pages: Iterator[Answer]) -> int:
    return sum(1 for _ in pages)


def _ids(pages: Iterator[Answer], table: ApiTable) -> list[str]:
    """The ids of the objects of a list, each once."""
    found = (item.get("id") for page in pages for item in page.items(table.items))
    return list(dict.fromkeys(str(each) for each in found if each is not None))


def _children(
    reading: Reading, ids: Sequence[str], listings: Callable[[str], list[_Listing]]
) -> None:
    def read(parent: str) -> None:
        for listing in listings(parent):
            _exhaust(_pages(reading, listing))

    for _ in reading.client.each(read, ids):
        pass


def _workflows(reading: Reading, table: ApiTable, place: str) -> None:
    ids = _ids(_pages(reading, _Listing(table.name, place)), table)
    key = table.key[0]
    _children(
        reading,
        ids,
        lambda parent: [
            _Listing(
                tables.ACTIONS.name, f"{place}/{segment(parent)}/actions", parents={key: parent}
            )
        ],
    )


def read_campaigns(reading: Reading) -> None:
    """Campaigns and their actions, of all, for a campaign's `updated` does not move with them."""
    _workflows(reading, tables.CAMPAIGNS, "campaigns")


def read_broadcasts(reading: Reading) -> None:
    """Broadcasts and their actions."""
    _workflows(reading, tables.BROADCASTS, "broadcasts")


def read_newsletters(reading: Reading) -> None:
    """Newsletters, their contents (a language or an A/B variant each) and test groups."""
    params: Params = {"limit": _NEWSLETTERS_A_PAGE}
    pages = _pages(reading, _Listing(tables.NEWSLETTERS.name, "newsletters", params))
    children = (
        (tables.NEWSLETTER_CONTENTS.name, "contents"),
        (tables.NEWSLETTER_TEST_GROUPS.name, "test_groups"),
    )
    _children(
        reading,
        _ids(pages, tables.NEWSLETTERS),
        lambda parent: [
            _Listing(
                table, f"newsletters/{segment(parent)}/{place}", parents={"newsletter_id": parent}
            )
            for table, place in children
        ],
    )


def read_transactional(reading: Reading) -> None:
    """Transactional messages."""
    _exhaust(_pages(reading, _Listing(tables.TRANSACTIONAL.name, "transactional")))


def read_topics(reading: Reading) -> None:
    """Topics that people subscribe to."""
    _exhaust(_pages(reading, _Listing(tables.TOPICS.name, "subscription_topics")))


def read_segments(reading: Reading) -> None:
    """Segments; archived ones are not listed."""
    pages = _pages(reading, _Listing(tables.SEGMENTS.name, "segments"))
    reading.segment_ids = _ids(pages, tables.SEGMENTS)


def read_membership(reading: Reading) -> None:
    """Who is in each segment that was listed, observed at one instant a segment."""

    def read(segment_id: str) -> None:
        listing = _Listing(
            SEGMENT_MEMBERSHIP,
            f"segments/{segment(segment_id)}/membership",
            {"limit": _MEMBERS_A_PAGE},
            parents={"segment_id": segment_id},
        )
        _exhaust(_pages(reading, listing, observed_at=reading.client.timing.now()))

    for _ in reading.client.each(read, reading.segment_ids):
        pass


def read_people(reading: Reading) -> None:
    """Everybody's attributes: people are listed, then asked for, a hundred at a time."""

    def batches() -> Iterator[list[str]]:
        listing = _Listing("", "customers", {"limit": _PEOPLE_A_PAGE}, _EVERYBODY)
        told = 0
        for page in _pages(reading, listing):
            found = [item.get("cio_id") for item in page.items("identifiers")]
            ids = [str(cio_id) for cio_id in found if cio_id is not None]
            yield from (
                ids[at : at + _PEOPLE_A_REQUEST] for at in range(0, len(ids), _PEOPLE_A_REQUEST)
            )
            told += len(ids)
            reading.say(f"people: {told:,} listed")

    def read(ids: list[str]) -> None:
        content = {"ids": ids}
        listing = _Listing(
            tables.PEOPLE.name, "customers/attributes", {"id_type": "cio_id"}, content
        )
        _exhaust(_pages(reading, listing))

    for _ in reading.client.each(read, batches()):
        pass


def read_messages(reading: Reading) -> None:
    """Messages created since `messages_from`, window by window; both ends are included."""

    def read(window: tuple[int, int]) -> int:
        params: Params = {"limit": _MESSAGES_A_PAGE, "start_ts": window[0], "end_ts": window[1]}
        return _exhaust(_pages(reading, _Listing(tables.MESSAGES.name, "messages", params)))

    windows = message_windows(reading.messages_from, reading.started_at)
    told = 0
    for pages in reading.client.each(read, windows):
        told += pages
        reading.say(f"messages: {told:,} pages")


def read_merges(reading: Reading) -> None:
    """Merges, newest first, until those that are known; the vendor keeps thirty days."""
    known_before = unix_seconds(reading.merges_from)
    for kind in _MERGES:
        params: Params = {"type": kind, "limit": _ACTIVITIES_A_PAGE}
        for page in _pages(reading, _Listing(tables.MERGES.name, "activities", params)):
            items = page.items(tables.MERGES.items)
            if items and all(_timestamp(item) < known_before for item in items):
                break


def _timestamp(item: Mapping[str, Any]) -> float:
    value = item.get("timestamp")
    return float(value) if isinstance(value, int | float) else float("inf")


def unix_seconds(instant: datetime) -> int:
    """Whole seconds from the epoch to a naive UTC instant."""
    return (instant - _EPOCH) // timedelta(seconds=1)


def message_windows(start: datetime, end: datetime) -> list[tuple[int, int]]:
    """Windows of unix seconds, both ends included, that cover a stretch of time without overlap."""
    first, last = unix_seconds(start), unix_seconds(end)
    step = MESSAGE_WINDOW_DAYS * 86_400
    edges = [*range(first, last + 1, step), last + 1]
    return [(low, high - 1) for low, high in pairwise(edges)]


@dataclass(frozen=True)
class Resource:
    """Something that can be asked for by name."""

    name: str
    read: Callable[[Reading], None]
    tables: tuple[str, ...]
    needs: tuple[str, ...] = ()


RESOURCES = {
    resource.name: resource
    for resource in (
        Resource("campaigns", read_campaigns, (tables.CAMPAIGNS.name, tables.ACTIONS.name)),
        Resource("broadcasts", read_broadcasts, (tables.BROADCASTS.name, tables.ACTIONS.name)),
        Resource(
            "newsletters",
            read_newsletters,
            (
                tables.NEWSLETTERS.name,
                tables.NEWSLETTER_CONTENTS.name,
                tables.NEWSLETTER_TEST_GROUPS.name,
            ),
        ),
        Resource("transactional", read_transactional, (tables.TRANSACTIONAL.name,)),
        Resource("topics", read_topics, (tables.TOPICS.name,)),
        Resource("segments", read_segments, (tables.SEGMENTS.name,)),
        Resource(
            "membership",
            read_membership,
            (SEGMENT_MEMBERSHIP, SEGMENT_OBSERVATIONS),
            needs=("segments",),
        ),
        Resource("messages", read_messages, (tables.MESSAGES.name,)),
        Resource("merges", read_merges, (tables.MERGES.name,)),
        Resource("people", read_people, (tables.PEOPLE.name,)),
    )
}
"""In the order they are read; what one needs comes before it."""
