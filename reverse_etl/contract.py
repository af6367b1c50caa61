"""What a destination is, and the words in which it and the engine speak.

A destination declares its settings, its limits and how one record is written, makes one attempt
at one batch, and reads the reply. Planning, batching, pacing, retrying, journals and receipts are
the engine's. A single record is a batch of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from reverse_etl.http import Http

Operation: TypeAlias = Literal["append", "add", "update", "remove"]
Use: TypeAlias = Literal["activate", "suppress", "analyse"]
Mode: TypeAlias = Literal["mirror", "append", "upsert", "replace"]
Outcome: TypeAlias = Literal["accepted", "rejected", "skipped", "unknown"]

KEPT: frozenset[Mode] = frozenset(["mirror", "replace"])
"""The modes in which a sync takes away what is no longer wanted."""


class Change(NamedTuple):
    """One planned row, as a destination sees it; `occurred_ms` is milliseconds since the epoch."""

    row: int
    operation: Operation
    record_key: str
    person_id: str | None
    identifier: str
    label: str
    occurred_ms: int | None
    payload: str | None
    fingerprint: str


class Refused(Exception):  # noqa: N818 - an outcome of one row, not a failure of the run
    """A row breaks a rule of the vendor's, so it is not sent; the text says which."""


@dataclass(frozen=True)
class Limits:
    """How much one request may carry, and how records are written one after the other.

    Attributes:
        records: Most records in a request.
        size: Most bytes in a request, before compression, separators included.
        record_size: Most bytes in one record.
        records_per_second: The vendor's rate over all connections, or nothing.
        requests_per_second: Its rate where it counts requests, or nothing.
        connections: Requests in flight at once.
        prefix: Bytes before the first record.
        separator: Bytes between records.
        suffix: Bytes after the last record.
        removals: Most records in a request that removes, if fewer.
    """

    records: int
    size: int
    record_size: int
    records_per_second: float | None = None
    requests_per_second: float | None = None
    connections: int = 1
    prefix: bytes = b""
    separator: bytes = b"\n"
    suffix: bytes = b""
    removals: int | None = None

    def join(self, records: Sequence[bytes]) -> bytes:
        """The body of a request."""
        return self.prefix + self.separator.join(records) + self.suffix

    def measure(self, records: int, content: int) -> int:
        """The bytes of a body of `records` records with `content` bytes between them."""
        separators = max(records - 1, 0) * len(self.separator)
        return len(self.prefix) + content + separators + len(self.suffix)


@dataclass(frozen=True)
class Taken:
    """The vendor took the batch, save the rows named.

    Attributes:
        refused: Reasons by position of the rows it refused.
        again: Positions it did not take though nothing is wrong with them.
        later: Positions among those to send again that must wait `wait_seconds`, apart from the
            others.
        left: Reasons by position of rows it will not take today, though nothing is wrong with them:
            they stay planned.
        wait_seconds: How long the rows of `later` wait.
        unsure: Reasons by position of rows of which it does not say whether it took them: their
            outcome is unknown, and they are sent again with the next run.
    """

    refused: Mapping[int, str] = field(default_factory=dict)
    again: frozenset[int] = frozenset()
    later: frozenset[int] = frozenset()
    left: Mapping[int, str] = field(default_factory=dict)
    wait_seconds: float = 0.0
    unsure: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Later:
    """Not now: to be tried again.

    Attributes:
        reason: In words, without values.
        is_maybe_accepted: The vendor may have taken the batch all the same.
        wait_seconds: How long it asks to wait, if it says.
    """

    reason: str
    is_maybe_accepted: bool
    wait_seconds: float | None = None


@dataclass(frozen=True)
class TooLarge:
    """The request is too large; its halves may not be."""

    reason: str = "too large for the destination"


@dataclass(frozen=True)
class Unnamed:
    """Nothing was taken, and the reply does not say which row is at fault: the engine halves."""

    reason: str


@dataclass(frozen=True)
class Denied:
    """The credentials were refused, so every request will be."""

    status: int


@dataclass(frozen=True)
class Stop:
    """No request can succeed until somebody mends the configuration."""

    reason: str


Reply: TypeAlias = Taken | Later | TooLarge | Unnamed | Denied | Stop


class Channel(Protocol):
    """A destination opened for one sync."""

    @property
    def limits(self) -> Limits:
        """What one request may carry."""

    def route(self, change: Change) -> str:
        """Changes with the same route may share a request."""

    def encode(self, change: Change) -> bytes:
        """One record as bytes.

        Raises:
            Refused: The row breaks a rule of the vendor's.
        """

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Make one attempt, and read the reply."""


class ReplacingChannel(Channel, Protocol):
    """A channel for which lists are replaced: once one is closed, what was sent is all it has."""

    def closing(self, label: str) -> str:
        """The route of the request that closes a label's list; it carries one of its rows again."""


class Settings(Protocol):
    """A destination's settings for all of its syncs: a frozen dataclass.

    Each field is a key of `[reverse_etl.<destination>]` in `.dlt/secrets.toml`, or the environment
    variable `REVERSE_ETL__<DESTINATION>__<FIELD>`.
    """

    @property
    def url(self) -> str:
        """The base URL that requests go to."""

    @property
    def account(self) -> str:
        """What tells one account or project from another; only its digest is kept."""

    def missing(self, object_name: str) -> tuple[str, ...]:
        """The keys without which this object cannot be sent."""


@dataclass(frozen=True)
class NoOptions:
    """The options of an object that has none: what is sent is the outbound model's to decide."""


@dataclass(frozen=True)
class Check:
    """Whether the destination answers and takes the credentials."""

    is_ok: bool
    message: str


Sizes: TypeAlias = "Mapping[str, int | None] | str"
"""Members by label, nothing for an audience whose size is not told yet; or what hindered asking."""


@dataclass(frozen=True)
class MatchKeys:
    """Several hashed identifiers that stand for one person, as ad platforms take them.

    They are a JSON object in one column of the outbound model, and the identifier of receipts: what
    was added can be removed by what it was added under, long after the person is gone.

    Attributes:
        column: The outbound column; a sync of the object may name people by no other.
        unique: The keys that find somebody alone. Removing one person by them may remove another
            who shares one, so that one is put back.
    """

    column: str
    unique: tuple[str, ...]


@dataclass(frozen=True)
class Object:
    """A kind of thing a destination takes.

    Attributes:
        modes: The modes in which it can be kept.
        options: A frozen dataclass of what a sync's `settings` may say: where rows end up, so that
            other options are another place.
        open: Opens a channel from the destination's settings, the options, and HTTP.
        is_repeatable: Sending a record twice leaves the destination as sending it once does.
        url: Reads the base URL of its requests from the settings, where the vendor has several.
        check: Its own call that changes nothing, where it has other credentials.
        match_keys: What names a person there, if it is not one id.
        sizes: Asks how many members audiences have there, by label, where the vendor can tell; it
            is given the labels that matter, which some vendors have to be asked for one by one.
        renew_after_days: Reads from the options after how many days the vendor must be told again,
            where it forgets on its own.
        replacing: Makes of an open channel one that replaces the lists of some labels; for the mode
            `replace`.
        is_about_people: Its rows are people or about one. Where they are not, a sync names them by
            `record_key`, and no row with a person is sent.
    """

    modes: frozenset[Mode]
    options: type[Any]
    open: Callable[[Any, Any, Http], Channel]
    is_repeatable: bool = True
    url: Callable[[Any], str] | None = None
    check: Callable[[Any, Http], Check] | None = None
    match_keys: MatchKeys | None = None
    renew_after_days: Callable[[Any], float] | None = None
    sizes: Callable[[Any, Any, Http, Collection[str]], Sizes] | None = None
    replacing: Callable[[Any, Collection[str]], ReplacingChannel] | None = None
    is_about_people: bool = True


DeletionEnd: TypeAlias = Literal["done", "failed"]


@dataclass(frozen=True)
class DeletionTaken:
    """A vendor took a request to delete people.

    Attributes:
        state: How far it is, in the vendor's word: `PENDING`; most delete within weeks.
        reply_id: What the vendor calls the request; nothing where it has no name for it.
        end: `done` or `failed` once nothing more will happen; nothing while it goes on, or where
            nobody is told.
    """

    state: str
    reply_id: str | None = None
    end: DeletionEnd | None = None


@dataclass(frozen=True)
class Deletion:
    """How a vendor is asked to delete people, beyond what a sync can take back.

    Asking twice must do what asking once does, because nobody knows of a request whose reply was
    lost.

    Attributes:
        covers: `profile`, or `everything` the vendor has of them, events included.
        documentation: Where the vendor says so.
        request: Method and path, as the proof shows them.
        limit: Most people in one request.
        missing: The keys of the settings without which it cannot be asked.
        url: The base URL of its requests.
        ask: Makes one attempt, and reads the reply. `Taken` with refusals is no success.
        follow: Asks how far a request is, by what the vendor calls it; nothing where it does not
            tell.
    """

    covers: Literal["profile", "everything"]
    documentation: str
    request: str
    limit: int
    missing: Callable[[Any], tuple[str, ...]]
    url: Callable[[Any], str]
    ask: Callable[[Any, Http, Sequence[str]], DeletionTaken | Reply]
    follow: Callable[[Any, Http, str], DeletionTaken | Reply] | None = None


@dataclass(frozen=True)
class Destination:
    """A vendor: its settings, its objects, and a call that changes nothing to try them with.

    Attributes:
        name: As `syncs/` and the settings name it.
        documentation: Where its API is described.
        settings: A frozen dataclass.
        objects: What it takes, by name.
        check: Tries the credentials.
        deletions: How it is asked to delete people; none where it cannot be asked.
    """

    name: str
    documentation: str
    settings: type[Any]
    objects: Mapping[str, Object]
    check: Callable[[Any, Http], Check]
    deletions: tuple[Deletion, ...] = ()
