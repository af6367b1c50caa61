"""Klaviyo's bulk import jobs: started, asked for until they are done, their errors read back.

What its errors do not name is looked for by halving. An import clears no value, and subscribes
nobody.

https://developers.klaviyo.com/en/docs/use_klaviyos_bulk_profile_import_api
https://developers.klaviyo.com/en/reference/get_errors_for_bulk_import_profiles_job
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import Later, Taken, Unnamed
from reverse_etl.destinations.klaviyo_errors import Errors, read_errors, read_refusal
from reverse_etl.destinations.klaviyo_replies import read_one
from reverse_etl.destinations.replies import UNREADABLE
from reverse_etl.http import Answer
from reverse_etl.profile_keys import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.contract import Reply
    from reverse_etl.destinations.klaviyo_api import Api

NO_PROFILE = "has no profile at Klaviyo, and create_profiles is off"
_JOBS = "api/profile-bulk-import-jobs"
_MOST_SOUGHT = 20
"""Bad rows of a job that are looked for by halving: each half is processed for a while."""


@dataclass(frozen=True)
class _Job:
    """A job under way: its id, and the positions in the batch of the profiles that are in it."""

    job: str
    identifiers: tuple[str, ...]
    positions: tuple[int, ...]
    left: Mapping[int, str]


@dataclass(frozen=True)
class ImportJobs:
    """The imports of one run.

    Attributes:
        api: Where requests go.
        key: The attribute that identifies: `email` or `external_id`.
        may_create: Whether a profile that is not there is made; else it is left out.
        pending: Jobs that are processed, by the digest of what they carry.
    """

    api: Api
    key: str
    may_create: bool
    pending: dict[bytes, _Job] = field(default_factory=dict)

    def run(self, records: Sequence[bytes], to_list: str | None = None) -> Reply:
        """Start a job if there is none for these profiles, then ask what became of it.

        Args:
            records: Profiles, encoded.
            to_list: The list they are added to, if any.
        """
        digest = hashlib.sha256(b"\n".join([(to_list or "").encode(), *records])).digest()
        if digest not in self.pending:
            started = self._start(records, to_list)
            if not isinstance(started, _Job):
                return started
            self.pending[digest] = started
        reply = self._settle(self.pending[digest])
        if not isinstance(reply, Later) or not reply.is_maybe_accepted:
            del self.pending[digest]
        return reply

    def _start(self, records: Sequence[bytes], to_list: str | None) -> _Job | Reply:
        profiles = [orjson.loads(record) for record in records]
        names = [folded(self.key, profile["attributes"][self.key]) for profile in profiles]
        chosen, left = list(range(len(records))), dict[int, str]()
        if not self.may_create:
            found = self.api.find_profiles(self.key, sorted(set(names)))
            if not isinstance(found, dict):
                return found
            left = {i: NO_PROFILE for i, name in enumerate(names) if name not in found}
            chosen = [i for i in chosen if i not in left]
            for i in chosen:
                profiles[i]["id"] = found[names[i]]
            records = [orjson.dumps(profile) for profile in profiles]
        if not chosen:
            return Taken(left=left)
        answer = self.api.request(
            "POST", _JOBS, content=_body((records[i] for i in chosen), to_list)
        )
        if not isinstance(answer, Answer):
            return answer
        if answer.status >= codes.BAD_REQUEST:
            return read_refusal(answer, chosen, left)
        job = read_one(answer)
        if job is None:
            return UNREADABLE
        return _Job(job["id"], tuple(names[i] for i in chosen), tuple(chosen), left)

    def _settle(self, job: _Job) -> Reply:
        """Ask what became of a job."""
        answer = self.api.request("GET", f"{_JOBS}/{job.job}")
        found = read_one(answer)
        if found is None and not isinstance(answer, Answer):
            return _uncertain(answer)
        if found is None:
            return Later("its status cannot be had", is_maybe_accepted=True)
        attributes = found["attributes"]
        if attributes.get("status") == "cancelled":
            # what it did before is not told; done again it comes to the same
            return Later("the import was cancelled", is_maybe_accepted=False)
        if attributes.get("status") != "complete":
            return Later("Klaviyo still processes the import", is_maybe_accepted=True)
        failed = attributes.get("failed_count")
        return Taken(left=job.left) if failed == 0 else self._read_errors(job, failed)

    def _read_errors(self, job: _Job, failed: object) -> Reply:
        """Who failed, and why."""
        path = f"{_JOBS}/{job.job}/import-errors"
        errors = read_errors(self.api, path, self.key, job.identifiers)
        if not isinstance(errors, Errors):
            return _uncertain(errors)
        number = failed if type(failed) is int else len(errors.rows) + errors.unnamed
        refused = {job.positions[place]: reason for place, reason in errors.rows.items()}
        if errors.are_all and len(errors.rows) >= number and not errors.unnamed:
            return Taken(refused, left=job.left)
        reason = f"{number} of {len(job.positions)} failed, and Klaviyo does not say which"
        if number > _MOST_SOUGHT and len(job.positions) > 1:
            unsure = dict.fromkeys(sorted(set(job.positions) - refused.keys()), reason)
            return Taken(refused, left=job.left, unsure=unsure)
        return Unnamed(reason)


def _body(profiles: Iterable[bytes], to_list: str | None) -> bytes:
    """The request; what is encoded already is not encoded again."""
    end = b""
    if to_list is not None:
        lists = {"lists": {"data": [{"type": "list", "id": to_list}]}}
        end = b',"relationships":' + orjson.dumps(lists)
    return (
        b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":['
        + b",".join(profiles)
        + b"]}}"
        + end
        + b"}}"
    )


def _uncertain(reply: Reply) -> Reply:
    """What hindered asking for a job that may have been done."""
    match reply:
        case Later(reason=reason, wait_seconds=wait):
            return Later(f"its status: {reason}", is_maybe_accepted=True, wait_seconds=wait)
        case Unnamed(reason=reason):
            return Later(f"its status: {reason}", is_maybe_accepted=True)
        case _:
            return reply
