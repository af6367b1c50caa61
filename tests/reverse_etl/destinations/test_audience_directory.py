from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from reverse_etl.contract import Denied, Later, Stop, Taken, TooLarge, Unnamed
from reverse_etl.destinations.audience_directory import Directory, Located, Page, Terms
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Reply

TERMS = Terms("list", "add", "remove", "list_ids", "account", most_pages=3)
LABEL = "CIO | Buyers | 0-3d"


@dataclass
class Account:
    """A platform with some lists, one a page, that says what it was asked."""

    names: list[str] = field(default_factory=list)
    reply: Answer | Reply | None = None
    asked: list[str] = field(default_factory=list)

    def page(self, cursor: str | None) -> Page | Answer | Reply:
        self.asked.append("page")
        number = int(cursor or 0)
        rows = [(name, f"id-{place}") for place, name in enumerate(self.names)]
        following = str(number + 1) if number + 1 < len(rows) else None
        return self.reply or Page(rows[number : number + 1], following)

    def make(self, label: str) -> str | Answer | Reply:
        self.asked.append(f"make {label}")
        self.names.append(label)
        return f"id-{len(self.names) - 1}"


def directory(
    account: Account, *, may_make: bool = True, ids: dict[str, str] | None = None
) -> Directory:
    return Directory.open(account, TERMS, may_make=may_make, ids=ids or {})


def test_an_addition_makes_what_is_not_there_and_remembers_it() -> None:
    account = Account(["Others"])
    lists = directory(account)
    expected = Located("add", "id-1", is_new=True)
    assert [lists.locate(f"add {LABEL}") for _ in range(2)] == [expected, expected]
    assert account.asked == ["page", f"make {LABEL}"]


def test_a_removal_makes_nothing_because_nobody_is_in_it() -> None:
    account = Account()
    assert directory(account).locate(f"remove {LABEL}") == Taken()
    assert account.asked == ["page"]


def test_a_name_is_looked_for_on_every_page_and_an_id_of_the_sync_on_none() -> None:
    account = Account(["a", "b", LABEL])
    assert directory(account).locate(f"remove {LABEL}") == Located("remove", "id-2")
    given = directory(account, ids={LABEL: "7"})
    assert given.locate(f"add {LABEL}") == Located("add", "7")
    assert len(account.asked) == 3


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        ([LABEL, LABEL], {}, "several lists"),
        (["a", "b", "c", LABEL], {}, "more lists than are looked through"),
        ([], {"may_make": False}, "create is off"),
    ],
)
def test_what_is_not_guessed_stops_the_sync_and_makes_no_second_list(
    names: list[str], options: dict[str, bool], words: str
) -> None:
    account = Account(list(names))
    reply = directory(account, **options).locate(f"add {LABEL}")
    assert isinstance(reply, Stop)
    assert words in reply.reason
    assert account.names == names


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Answer(200, {}, b"[]"), Later),
        (Answer(422, {}, b"{}"), Stop),
        (Later("slow", is_maybe_accepted=True, wait_seconds=7), Later),
        (Unnamed("refused"), Stop),
        (TooLarge(), Stop),
        (Denied(401), Denied),
        (Stop("answered 404"), Stop),
    ],
)
def test_what_hinders_a_look_says_that_no_row_was_sent(
    reply: Answer | Reply, expected: type
) -> None:
    found = directory(Account(reply=reply)).locate(f"add {LABEL}")
    assert isinstance(found, expected)
    if isinstance(found, Later):
        assert not found.is_maybe_accepted
        assert found.wait_seconds == getattr(reply, "wait_seconds", None)


def test_connections_that_need_a_list_at_once_make_one() -> None:
    account = Account()
    lists, start = directory(account), Barrier(8)

    def locate(_: int) -> object:
        start.wait()
        return lists.locate(f"add {LABEL}")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(locate, range(8))) == {Located("add", "id-0", is_new=True)}
    assert account.names == [LABEL]
