"""Which audience of a platform's a label means: given in the sync, found by its name, or made.

A platform says how a page of its audiences is read and how one is made; the rest is alike for all.
What is deliberately not guessed: a name that two audiences have, and a name not found among the
most pages that are read. Somebody must say which it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from httpx import codes

from reverse_etl.contract import Denied, Later, Stop, Taken, Unnamed
from reverse_etl.destinations.replies import unsent
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.contract import Change, Reply

DESCRIPTION = "Kept by customerio-warehouse"
"""What an audience made here says of itself, where it can say something."""


@dataclass(frozen=True)
class Terms:
    """A platform's words.

    Attributes:
        one: What it calls an audience.
        adds: The word that begins the route of additions.
        removes: The word that begins the route of removals.
        ids: The sync's option that gives audiences by their ids.
        account: The setting that names the account, for who mends it.
        most_pages: How many pages of audiences are read at most.
    """

    one: str
    adds: str
    removes: str
    ids: str
    account: str
    most_pages: int


class Page(NamedTuple):
    """Names and ids of some of an account's audiences, and where the next page begins, if any."""

    rows: Sequence[tuple[str, str]]
    following: str | None = None


class Located(NamedTuple):
    """An audience's id, the word of the route that led there, and whether this run made it.

    A platform may not know for a while what it just made.
    """

    operation: str
    audience: str
    is_new: bool = False


class Platform(Protocol):
    """What a platform does with audiences: a reply that is not the documented one comes back."""

    def page(self, cursor: str | None) -> Page | Answer | Reply:
        """Read a page; the first has no cursor."""

    def make(self, label: str) -> str | Answer | Reply:
        """Make an audience; returns its id."""


@dataclass(frozen=True)
class Directory:
    """The audiences of an account by their labels, as far as they were needed.

    Attributes:
        platform: Reads and makes audiences.
        terms: The platform's words.
        may_make: Whether an audience that is not there is made.
        known: Ids by label.
        made: The labels among them whose audience was made in this run.
        turn: Held while an audience is looked up or made, so that no two are made for one label.
    """

    platform: Platform
    terms: Terms
    may_make: bool
    known: dict[str, str]
    made: set[str] = field(default_factory=set)
    turn: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def open(
        cls, platform: Platform, terms: Terms, *, may_make: bool, ids: Mapping[str, str]
    ) -> Directory:
        """Begin with the ids that the sync gives; nothing is asked yet."""
        return cls(platform, terms, may_make, dict(ids))

    def route(self, change: Change) -> str:
        """Additions and removals of one audience go in requests of their own."""
        word = self.terms.removes if change.operation == "remove" else self.terms.adds
        return f"{word} {change.label}"

    def locate(self, route: str) -> Located | Reply:
        """Find the audience of a route, and make it for an addition if that is allowed.

        Returns:
            The audience, or what the batch comes to without it. A removal from an audience that is
            not there is done: nobody is in it.
        """
        operation, _, label = route.partition(" ")
        with self.turn:
            problem = None if label in self.known else self._find(label)
            if problem is None and label not in self.known:
                problem = Taken() if operation == self.terms.removes else self._make(label)
            return problem or Located(operation, self.known[label], label in self.made)

    def _find(self, label: str) -> Reply | None:
        """Look an audience up by its name; says what hindered it."""
        found: list[str] = []
        cursor: str | None = None
        for _ in range(self.terms.most_pages):
            page = self.platform.page(cursor)
            if not isinstance(page, Page):
                return self._hindered(page)
            found += [audience for name, audience in page.rows if name == label]
            cursor = page.following
            if cursor is None:
                break
        if len(found) > 1:
            several = f"has several {self.terms.one}s by the name of a label"
            return Stop(f"{several}: name one in {self.terms.ids}")
        if not found and cursor is not None:
            many = f"has more {self.terms.one}s than are looked through for a label"
            return Stop(f"{many}: name its own in {self.terms.ids}")
        self.known.update({label: found[0]} if found else {})
        return None

    def _make(self, label: str) -> Reply | None:
        """Make an audience; says what hindered it."""
        if not self.may_make:
            return Stop(f"has no {self.terms.one} by the name of a label, and create is off")
        made = self.platform.make(label)
        if not isinstance(made, str):
            return self._hindered(made)
        self.known[label] = made
        self.made.add(label)
        return None

    def _hindered(self, answer: Answer | Reply) -> Reply:
        """What a request that carried no row, and did not succeed, means for the rows."""
        terms = self.terms
        match answer:
            case Answer(status=status) if status < codes.BAD_REQUEST:
                reason = f"a reply about a {terms.one} that is not the documented one"
                return Later(reason, is_maybe_accepted=False)
            case Unnamed(reason=reason):
                return Stop(f"{reason} when a {terms.one} was looked up or made")
            case Later() | Denied() | Stop():
                return unsent(answer)
            case _:
                return Stop(f"refuses to look up or make a {terms.one}: check {terms.account}")
