"""Which user list of Google's a label means: given in the sync, found by its name, or made.

https://developers.google.com/data-manager/api/reference/rest/v1/accountTypes.accounts.userLists
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the options are read by their types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from reverse_etl.destinations.audience_directory import DESCRIPTION, Directory, Page, Terms
from reverse_etl.destinations.settings_rules import require_one_of
from reverse_etl.http import Answer
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from reverse_etl.contract import Reply
    from reverse_etl.destinations.google_api import DataManager

CONSENTS = {
    "granted": "CONSENT_GRANTED",
    "denied": "CONSENT_DENIED",
    "unspecified": "CONSENT_STATUS_UNSPECIFIED",
}
MOST_DAYS = 540
TERMS = Terms("user list", "ingest", "remove", "list_ids", "account_id", most_pages=100)
_DAY_SECONDS = 86_400


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
        require_one_of("google", "consent", self.consent, CONSENTS)
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


@dataclass(frozen=True)
class UserLists:
    """The user lists of an account."""

    api: DataManager
    membership_days: int

    def page(self, cursor: str | None) -> Page | Answer | Reply:
        """Read a page."""
        after = {} if cursor is None else {"pageToken": cursor}
        answer = self.api.request("GET", lists_path(self.api), params={"pageSize": "1000"} | after)
        body = answer.json() if isinstance(answer, Answer) else None
        rows = body.get("userLists", []) if isinstance(body, dict) and "error" not in body else None
        if not isinstance(rows, list) or not all(isinstance(r, dict) and "id" in r for r in rows):
            return answer
        following = str((body or {}).get("nextPageToken") or "") or None
        return Page([(str(row.get("displayName")), str(row["id"])) for row in rows], following)

    def make(self, label: str) -> str | Answer | Reply:
        """Make one."""
        body = {
            "displayName": label,
            "description": DESCRIPTION,
            "membershipDuration": f"{self.membership_days * _DAY_SECONDS}s",
            "ingestedUserListInfo": {
                "uploadKeyTypes": ["CONTACT_ID"],
                "contactIdInfo": {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY"},
            },
        }
        answer = self.api.request("POST", lists_path(self.api), content=orjson.dumps(body))
        made = answer.json() if isinstance(answer, Answer) else None
        return str(made["id"]) if isinstance(made, dict) and "id" in made else answer


def lists_path(api: DataManager) -> str:
    """The path of the account's user lists."""
    return f"v1/accountTypes/GOOGLE_ADS/accounts/{api.settings.account_id}/userLists"


def open_directory(api: DataManager, options: ListOptions) -> Directory:
    """The user lists by their labels, as far as they are needed."""
    lists = UserLists(api, options.membership_days)
    return Directory.open(lists, TERMS, may_make=options.create, ids=options.list_ids)
