"""Which user list of Google's a label means: given in the sync, found by its name, or made.

https://developers.google.com/data-manager/api/reference/rest/v1/accountTypes.accounts.userLists
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the options are read by their types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reverse_etl.contract import Later, Stop, TooLarge, Unnamed
from reverse_etl.http import Answer
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from reverse_etl.contract import Reply

CONSENTS = {
    "granted": "CONSENT_GRANTED",
    "denied": "CONSENT_DENIED",
    "unspecified": "CONSENT_STATUS_UNSPECIFIED",
}
MOST_DAYS = 540
_MOST_PAGES = 100
_DAY_SECONDS = 86_400
_UNDOCUMENTED = "a list of user lists that is not the documented one"


@dataclass(frozen=True)
class ListOptions:
    """Options of audience members.

    Attributes:
        consent: What the people of this sync said to their data being used for ads and to ads being
            made for them: granted, denied or unspecified. In the EEA and the UK nobody is used
            without granted. There is no default: somebody has to say it.
        create: Make a user list that is not there, named like its label.
        list_ids: Ids of user lists by label, where they are there under other names.
        membership_days: After how many days Google forgets a member, in lists made here.
        renew_days_before: How long before that a member is sent again.
    """

    consent: str
    create: bool = True
    list_ids: Mapping[str, str] = field(default_factory=dict)
    membership_days: int = MOST_DAYS
    renew_days_before: int = 30

    def __post_init__(self) -> None:
        """Refuse what Google would."""
        if self.consent not in CONSENTS:
            message = f"google: consent must be one of {', '.join(CONSENTS)}"
            raise UsageError(message)
        if not 1 <= self.membership_days <= MOST_DAYS:
            message = f"google: membership_days must be from 1 to {MOST_DAYS}"
            raise UsageError(message)
        if not 0 <= self.renew_days_before < self.membership_days:
            message = "google: renew_days_before must be fewer than membership_days"
            raise UsageError(message)

    @property
    def renew_after_days(self) -> float:
        """After how many days a member is sent again."""
        return float(self.membership_days - self.renew_days_before)


class Request(Protocol):
    """One attempt at the API."""

    def __call__(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer | Reply:
        """Make it."""


@dataclass(frozen=True)
class Lookup:
    """Where an account's user lists are found.

    Attributes:
        request: Makes one attempt.
        options: The sync's options.
        account: The account's number.
        known: Ids by label, as far as they were found.
    """

    request: Request
    options: ListOptions
    account: str
    known: dict[str, str]

    def find(self, label: str) -> Reply | None:
        """Look a label's list up, if it is not known; says what hindered it."""
        if label in self.known:
            return None
        found: list[str] = []
        params = {"pageSize": "1000"}
        for _ in range(_MOST_PAGES):
            answer = self.request("GET", self.path, params=params)
            page = _page(answer)
            if page is None:
                return _unsent(answer)
            rows, following = page
            found += [str(row["id"]) for row in rows if row.get("displayName") == label]
            if not following:
                break
            params["pageToken"] = following
        if len(found) > 1:
            return Stop("has several user lists by the name of a label: name one in list_ids")
        self.known.update({label: found[0]} if found else {})
        return None

    def make(self, label: str) -> Reply | None:
        """Look it up, and make it if there is none and that is allowed; says what hindered it."""
        problem = self.find(label)
        if problem is not None or label in self.known or not self.options.create:
            return problem
        body = {
            "displayName": label,
            "description": "Kept by customerio-warehouse",
            "membershipDuration": f"{self.options.membership_days * _DAY_SECONDS}s",
            "ingestedUserListInfo": {
                "uploadKeyTypes": ["CONTACT_ID"],
                "contactIdInfo": {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY"},
            },
        }
        answer = self.request("POST", self.path, body)
        made = answer.json() if isinstance(answer, Answer) else None
        if not isinstance(made, dict) or "id" not in made:
            return _unsent(answer)
        self.known[label] = str(made["id"])
        return None

    @property
    def path(self) -> str:
        """The path of the account's user lists."""
        return f"v1/accountTypes/GOOGLE_ADS/accounts/{self.account}/userLists"


def _page(answer: Answer | Reply) -> tuple[list[dict[str, Any]], str] | None:
    """The lists of a page and the token of the next; nothing if it is none."""
    body = answer.json() if isinstance(answer, Answer) else None
    rows = body.get("userLists", []) if isinstance(body, dict) and "error" not in body else None
    if not isinstance(rows, list) or not all(isinstance(r, dict) and "id" in r for r in rows):
        return None
    return rows, str((body or {}).get("nextPageToken") or "")


def _unsent(answer: Answer | Reply) -> Reply:
    """What hindered a request that carried no row."""
    match answer:
        case Answer(status=status):
            is_reply = status < 400  # noqa: PLR2004 - a status that is no error
            if is_reply:
                return Later(_UNDOCUMENTED, is_maybe_accepted=False)
            return Stop("refuses to look up or make a user list: check account_id")
        case Later(reason=reason, wait_seconds=wait):
            return Later(reason, is_maybe_accepted=False, wait_seconds=wait)
        case Unnamed() | TooLarge():
            return Stop("refuses to look up or make a user list")
        case _:
            return answer
