"""What every destination must do. One joins by adding a `Subject` to `SUBJECTS`."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import duckdb
import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from fakes import (
    amplitude,
    customerio_track,
    google_data_manager,
    klaviyo,
    meta,
    mixpanel,
    segment,
    tiktok,
    webhook,
)
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.server import serve_in_thread
from reverse_etl.clock import milliseconds
from reverse_etl.contract import Change
from reverse_etl.credentials import Secret
from reverse_etl.deliver import Delivered, Way, deliver
from reverse_etl.delivery import Delivery
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.destinations.amplitude import AmplitudeSettings
from reverse_etl.destinations.customerio import CustomerioSettings
from reverse_etl.destinations.customerio_segments import SegmentOptions
from reverse_etl.destinations.google import GoogleSettings
from reverse_etl.destinations.google_lists import ListOptions
from reverse_etl.destinations.klaviyo import MemberOptions, ProfileOptions
from reverse_etl.destinations.klaviyo_api import KlaviyoSettings
from reverse_etl.destinations.meta import MetaSettings
from reverse_etl.destinations.mixpanel_settings import MixpanelSettings
from reverse_etl.destinations.segment_settings import SegmentSettings
from reverse_etl.destinations.tiktok import TikTokSettings
from reverse_etl.destinations.webhook import WebhookSettings
from reverse_etl.http import Http
from reverse_etl.journal import RunFolder
from reverse_etl.outcomes import Balance, resolve
from reverse_etl.replacement import Replacement
from reverse_etl.scope import Target
from reverse_etl.settings import Sync
from reverse_etl.stop_list import StopList

from .world import NOW, FastClock, md5

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from fakes.control import Control
    from reverse_etl.contract import Channel, Limits

SECRET = "s3cr3t-that-must-never-show"  # noqa: S105 - what the tests look for
HOUR_AGO_MS = milliseconds(NOW - timedelta(hours=2))


@dataclass(frozen=True)
class Subject:
    """A destination's object under test.

    Attributes:
        destination: Its name in the registry.
        object: The object's name.
        app: Makes the stand-in; it refuses the identifiers given.
        settings: Makes the settings for a base URL; `secret` takes the place of every secret.
        change: Makes the nth good row.
        sent: Reads what the stand-in has, as identifiers; one twice if it is there twice.
        locally_bad: A row that must be refused without being sent.
        options: The object's options; by default those of a sync that gives none.
        carries: The path of the requests that carry rows, where others go before them.
        method: Their method, where others go to paths below it.
        is_silent: The vendor answers 200 and drops what it does not take, a wrong key's rows too.
        named: Writes an identifier as the sync's identity column has it.
        dropped: What becomes of a row that the vendor does not take.
        is_replaced: Every delivery replaces the lists that it sends to.
        closings: Requests like those that carry rows that close a list.
    """

    destination: str
    object: str
    app: Callable[[Collection[str]], Control]
    settings: Callable[..., Any]
    change: Callable[..., Change]
    sent: Callable[[httpx.Client], list[str]]
    locally_bad: Change
    options: Any = None
    carries: str = "/"
    method: str = ""
    is_silent: bool = False
    named: Callable[[str], str] = str
    dropped: str = "rejected"
    is_replaced: bool = False
    closings: int = 0

    def __post_init__(self) -> None:
        if self.options is None:
            kind = DESTINATIONS[self.destination].objects[self.object]
            object.__setattr__(self, "options", kind.options())

    @property
    def name(self) -> str:
        name = f"{self.destination}-{self.object}"
        return f"{name}-replaced" if self.is_replaced else name


def identifier(number: int) -> str:
    return f"customer-{number}"


def _mixpanel_settings(url: str, secret: str | None = None) -> MixpanelSettings:
    return MixpanelSettings(project_token=Secret(secret or mixpanel.TOKEN), base_url=url)


def _event(number: int, **values: object) -> Change:
    change = Change(
        row=number,
        operation="append",
        record_key=md5(str(number)),
        person_id=f"person-{number}",
        identifier=identifier(number),
        label="Email Link Clicked",
        occurred_ms=HOUR_AGO_MS,
        payload='{"campaign_id":"7"}',
        fingerprint=md5("7"),
    )
    return change._replace(**values)


def _member(number: int, **values: object) -> Change:
    change = _event(number)._replace(operation="add", label="CIO | Clickers | 0-7d", payload="{}")
    return change._replace(occurred_ms=None)._replace(**values)


def _sent_events(client: httpx.Client) -> list[str]:
    events = client.get("/_fake/events").json()
    return [event["properties"]["distinct_id"] for event in events]


def _sent_members(client: httpx.Client) -> list[str]:
    profiles = client.get("/_fake/profiles").json()
    return [
        person for person, profile in profiles.items() for _ in profile.get("cio_audiences", [])
    ]


def _described(number: int, **values: object) -> Change:
    return _member(number, label="", payload='{"cio_fatigue_tier":"rested"}')._replace(**values)


def _sent_properties(client: httpx.Client) -> list[str]:
    return list(client.get("/_fake/profiles").json())


def _segment_settings(url: str, secret: str | None = None) -> SegmentSettings:
    return SegmentSettings(write_key=Secret(secret or segment.WRITE_KEY), base_url=url)


def _sent_tracks(client: httpx.Client) -> list[str]:
    return [call["userId"] for call in client.get("/_fake/calls").json()]


def _sent_traits(client: httpx.Client) -> list[str]:
    profiles = client.get("/_fake/traits").json()
    return [person for person, traits in profiles.items() for value in traits.values() if value]


def _amplitude_settings(url: str, secret: str | None = None) -> AmplitudeSettings:
    return AmplitudeSettings(
        api_key=Secret(secret or amplitude.API_KEY),
        secret_key=Secret(secret or amplitude.SECRET_KEY),
        app_id=str(amplitude.APP_ID),
        owner=amplitude.OWNER,
        base_url=url,
        cohorts_base_url=url,
    )


def _sent_user_events(client: httpx.Client) -> list[str]:
    return [event["user_id"] for event in client.get("/_fake/events").json()]


def _sent_user_properties(client: httpx.Client) -> list[str]:
    return list(client.get("/_fake/properties").json())


def _sent_cohorts(client: httpx.Client) -> list[str]:
    return [person for ids in client.get("/_fake/cohorts").json().values() for person in ids]


PLAIN: dict[str, str] = {}
"""Whom a digest stands for, so that a list of digests can be read."""


def hashed(plain: str) -> str:
    digest = hashlib.sha256(plain.encode()).hexdigest()
    PLAIN[digest] = plain
    return digest


def hashed_member(key: str) -> Callable[..., Change]:
    """Makes members whom a platform knows by the hash of their identifier, under `key`."""

    def make(number: int, **values: object) -> Change:
        plain = str(values.pop("identifier", identifier(number)))
        keys = json.dumps({key: hashed(plain)})
        return _member(number, **values)._replace(identifier=keys)

    return make


def _sent_hashed(client: httpx.Client) -> list[str]:
    lists = client.get("/_fake/audiences").json().values()
    return [PLAIN[digest] for rows in lists for row in rows for digest in row.values()]


def _meta_settings(url: str, secret: str | None = None) -> MetaSettings:
    return MetaSettings(
        access_token=Secret(secret or meta.TOKEN), ad_account_id=meta.AD_ACCOUNT, base_url=url
    )


def _google_settings(url: str, secret: str | None = None) -> GoogleSettings:
    return GoogleSettings(
        account_id=google_data_manager.ACCOUNT,
        client_id=google_data_manager.CLIENT_ID,
        client_secret=Secret(secret or google_data_manager.CLIENT_SECRET),
        refresh_token=Secret(secret or google_data_manager.REFRESH_TOKEN),
        token_url=f"{url.rstrip('/')}/token",
        base_url=url,
    )


def _klaviyo_settings(url: str, secret: str | None = None) -> KlaviyoSettings:
    return KlaviyoSettings(
        api_key=Secret(secret or klaviyo.API_KEY), account_id=klaviyo.ACCOUNT, base_url=url
    )


def _sent_lists(client: httpx.Client) -> list[str]:
    lists = client.get("/_fake/lists").json().values()
    return [member["external_id"] for members in lists for member in members]


def _sent_imports(client: httpx.Client) -> list[str]:
    return [profile["external_id"] for profile in client.get("/_fake/profiles").json()]


def _tiktok_settings(url: str, secret: str | None = None) -> TikTokSettings:
    return TikTokSettings(
        access_token=Secret(secret or tiktok.TOKEN), advertiser_id=tiktok.ADVERTISER, base_url=url
    )


def _webhook_settings(url: str, secret: str | None = None) -> WebhookSettings:
    return WebhookSettings(base_url=url, signing_secret=Secret(secret or webhook.SIGNING_SECRET))


def _sent_rows(client: httpx.Client) -> list[str]:
    return [row["identifier"] for row in client.get("/_fake/rows").json()]


SOMEBODY = "søren+ü@例え.jp"
"""Whom the tests name in other letters."""


def _customerio_settings(url: str, secret: str | None = None) -> CustomerioSettings:
    return CustomerioSettings(
        site_id=customerio_track.SITE_ID,
        api_key=Secret(secret or customerio_track.API_KEY),
        app_api_key=Secret(secret or APP_API_KEY),
        base_url=url,
    )


def _track_app(refused: Collection[str]) -> Control:
    """A workspace where everybody is known but whom it refuses: it ignores those in silence."""
    names = [*(identifier(number) for number in range(300)), SOMEBODY]
    people = [
        {
            "id": name,
            "identifiers": {"cio_id": f"03{number:06x}", "id": name, "email": None},
            "attributes": {},
            "unsubscribed": False,
        }
        for number, name in enumerate(names)
        if name not in refused
    ]
    workspace = Workspace(people=people)
    # the tests make more requests in a second of theirs than the vendor allows in one of ours
    return customerio_track.create_app(workspace=workspace, requests_per_second=100_000)


def _keyed(name: str) -> str:
    return f"id:{name}"


def _sent_profiles(client: httpx.Client) -> list[str]:
    people = client.get("/_fake/profiles").json()
    return [person["id"] for person in people]


def _sent_named_events(client: httpx.Client) -> list[str]:
    return [event["identifiers"]["id"] for event in client.get("/_fake/events").json()]


def _sent_segments(client: httpx.Client) -> list[str]:
    segments = client.get("/_fake/segments").json()
    return [member["id"] for members in segments.values() for member in members]


def refusing(stand_in: Any, written: Callable[[str], str] = str) -> Callable[..., Control]:  # noqa: ANN401 - a module
    """Makes a stand-in that refuses identifiers as they are written there."""

    def make(refused: Collection[str]) -> Control:
        app: Control = stand_in.create_app(refused=[written(plain) for plain in refused])
        return app

    return make


AMPLITUDE = partial(Subject, "amplitude", app=refusing(amplitude), settings=_amplitude_settings)
CUSTOMERIO = partial(
    Subject,
    "customerio",
    app=refusing(customerio_track),
    settings=_customerio_settings,
    named=_keyed,
)
KLAVIYO = partial(
    Subject,
    "klaviyo",
    app=refusing(klaviyo),
    settings=_klaviyo_settings,
    # before it, the list is looked up, and made; after it, the job and its errors
    carries="/api/profile-bulk-import-jobs",
    method="POST",
)
MIXPANEL = partial(Subject, "mixpanel", app=refusing(mixpanel), settings=_mixpanel_settings)
SEGMENT = partial(
    Subject, "segment", app=refusing(segment), settings=_segment_settings, is_silent=True
)
UNSET = '{"cio_fatigue_tier":null}'
UNHASHED = _member(0, identifier="someone@example.com")
"""What is not hashed does not leave."""

SUBJECTS = [
    AMPLITUDE(
        "message_events",
        change=_event,
        sent=_sent_user_events,
        locally_bad=_event(0, identifier="null"),
    ),
    AMPLITUDE(
        "audience_members",
        change=_member,
        sent=_sent_cohorts,
        locally_bad=_member(0, identifier="None"),
        # before it, the cohort is looked up, and made
        carries="/api/3/cohorts/membership",
    ),
    AMPLITUDE(
        "person_properties",
        change=_described,
        sent=_sent_user_properties,
        locally_bad=_described(0, payload=UNSET),
    ),
    CUSTOMERIO(
        "people",
        change=_member,
        sent=_sent_profiles,
        locally_bad=_member(0, identifier="customer-0"),
    ),
    CUSTOMERIO(
        "events",
        change=_event,
        sent=_sent_named_events,
        locally_bad=_event(0, identifier="id:customer-0", label=" "),
    ),
    CUSTOMERIO(
        "segment_members",
        app=_track_app,
        change=_member,
        sent=_sent_segments,
        locally_bad=_member(0, identifier="id:customer-0", label=" "),
        options=SegmentOptions(create_segments=True),
        # before it, the segment is looked up, and made
        carries="/api/v1/segments",
        dropped="unknown",
    ),
    Subject(
        "google",
        "audience_members",
        app=refusing(google_data_manager, hashed),
        settings=_google_settings,
        change=hashed_member("emailAddress"),
        sent=_sent_hashed,
        locally_bad=UNHASHED,
        options=ListOptions("granted"),
        # before it, a token is had and the list looked up; after it, its status
        carries="/v1/audienceMembers",
    ),
    KLAVIYO(
        "audience_members",
        change=_member,
        sent=_sent_lists,
        locally_bad=_member(0, label=" "),
        options=MemberOptions(identifier="external_id", create_profiles=True),
    ),
    KLAVIYO(
        "profiles",
        change=_described,
        sent=_sent_imports,
        locally_bad=_described(0, payload=UNSET),
        options=ProfileOptions(identifier="external_id", create_profiles=True),
    ),
    Subject(
        "meta",
        "audience_members",
        app=refusing(meta, hashed),
        settings=_meta_settings,
        change=hashed_member("EMAIL"),
        sent=_sent_hashed,
        locally_bad=UNHASHED,
        # before it, the audience is looked up, and made
        carries=f"/v25.0/{meta.FIRST_ID // 1000}",
    ),
    MIXPANEL(
        "message_events",
        change=_event,
        sent=_sent_events,
        locally_bad=_event(0, record_key="not an insert id"),
    ),
    MIXPANEL(
        "audience_members",
        change=_member,
        sent=_sent_members,
        locally_bad=_member(0, identifier="null"),
    ),
    MIXPANEL(
        "person_properties",
        change=_described,
        sent=_sent_properties,
        locally_bad=_described(0, payload=UNSET),
    ),
    SEGMENT(
        "message_events",
        change=_event,
        sent=_sent_tracks,
        locally_bad=_event(0, record_key="x" * 101),
    ),
    SEGMENT(
        "audience_members",
        change=_member,
        sent=_sent_traits,
        locally_bad=_member(0, label="| |"),
    ),
    SEGMENT(
        "person_properties",
        change=_described,
        sent=_sent_traits,
        locally_bad=_described(0, payload=UNSET),
    ),
    Subject(
        "tiktok",
        "audience_members",
        app=refusing(tiktok, hashed),
        settings=_tiktok_settings,
        change=hashed_member("EMAIL_SHA256"),
        sent=_sent_hashed,
        locally_bad=UNHASHED,
        # before it, the audience is looked up, and made
        carries="/open_api/v1.3/segment/mapping/",
    ),
    Subject(
        "webhook",
        "rows",
        app=refusing(webhook),
        settings=_webhook_settings,
        change=_event,
        sent=_sent_rows,
        locally_bad=_event(0, payload="[]"),
    ),
]

# Google differs by what closes a list alone, which has a test of its own
SUBJECTS += [
    replace(one, is_replaced=True, closings=1) for one in SUBJECTS if one.destination == "meta"
]


@dataclass
class Bench:
    """A stand-in, running, and a way to deliver rows to it."""

    subject: Subject
    url: str
    client: httpx.Client
    folder: Path
    time: FastClock = field(default_factory=FastClock)
    halt: threading.Event = field(default_factory=threading.Event)
    runs: int = 0

    def change(self, number: int, **values: object) -> Change:
        change = self.subject.change(number, **values)
        return change._replace(identifier=self.subject.named(change.identifier))

    def changes(self, count: int) -> list[Change]:
        return [self.change(number) for number in range(count)]

    def fail(self, *failures: dict[str, Any]) -> None:
        meant = {"path": self.subject.carries, "method": self.subject.method}
        self.client.post("/_fake/script", json=[meant | failure for failure in failures])

    def target(self, url: str | None = None, secret: str | None = None) -> Target:
        settings = self.subject.settings(url or self.url, secret)
        return Target(DESTINATIONS[self.subject.destination], settings, self.subject.object)

    @property
    def sent(self) -> list[str]:
        return sorted(self.subject.sent(self.client))

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Those that carried rows."""
        requests = self.client.get("/_fake/requests").json()
        return [
            seen
            for seen in requests
            if seen["path"].startswith(self.subject.carries)
            and self.subject.method in {"", seen["method"]}
        ]

    def deliver(  # noqa: PLR0913 - each a circumstance that some test varies
        self,
        changes: Sequence[Change],
        *,
        url: str | None = None,
        secret: str | None = None,
        limits: dict[str, Any] | None = None,
        is_repeatable: bool = True,
        timeout: float = 10.0,
        use: str = "analyse",
        stop_list: Path | None = None,
        **delivery: object,
    ) -> Result:
        self.runs += 1
        folder = RunFolder(self.folder / str(self.runs))
        folder.path.mkdir()
        rows = [change._replace(row=row) for row, change in enumerate(changes)]
        write_plan(folder.plan, rows)
        target = self.target(url, secret)
        sync = Sync(
            name="sync",
            destination=self.subject.destination,
            object=self.subject.object,
            model="outbound_model",
            use=use,
            mode="append",
            identity="customer_id",
            delivery=Delivery(**({"connections": 1} | delivery)),
        )
        with Http(target.url, clock=self.time.clock(), timeout_seconds=timeout) as http:
            channel = target.kind.open(target.settings, self.subject.options, http)
            if limits:
                channel = replace(channel, limits=replace(channel.limits, **limits))
            replacement = None
            if self.subject.is_replaced:
                labels = {change.label for change in changes}
                replacement = Replacement(target.kind.replacing(channel, labels), labels)
                channel = replacement.channel
            delivered = deliver(
                folder,
                Way(
                    sync=sync,
                    channel=channel,
                    is_repeatable=is_repeatable,
                    stop_list=StopList(stop_list or self.folder / "none", use),
                    findings=(),
                    clock=self.time.clock(),
                    halt=self.halt,
                    replacement=replacement,
                ),
            )
        result = Result.read(folder, delivered, channel)
        if replacement is not None and delivered.problem is None:
            # one row is carried again to close its list, which is no attempt to have it taken
            for batch, _others in replacement.closings():
                result.attempts[batch.rows[0]] -= 1
        return result


@dataclass(frozen=True)
class Result:
    """What a delivery came to: as counted, and as its journal says, row by row."""

    delivered: Delivered
    balance: Balance
    outcomes: list[str]
    reasons: list[str | None]
    attempts: list[int]
    folder: RunFolder
    limits: Limits
    channel: Channel

    @classmethod
    def read(cls, folder: RunFolder, delivered: Delivered, channel: Channel) -> Result:
        with _database().cursor() as connection:
            balance = resolve(connection, folder)
            rows = connection.execute(
                "select outcome, reason, attempts from resolved order by row"
            ).fetchall()
        result = cls(
            delivered=delivered,
            balance=balance,
            outcomes=[row[0] for row in rows],
            reasons=[row[1] for row in rows],
            attempts=[row[2] for row in rows],
            folder=folder,
            limits=channel.limits,
            channel=channel,
        )
        result.check()
        return result

    def check(self) -> None:
        """What every run must keep: its journal says what was counted, and it adds up."""
        counts = {outcome: self.outcomes.count(outcome) for outcome in set(self.outcomes)}
        assert {k: v for k, v in self.delivered.counts.items() if v} == counts
        assert self.balance.is_balanced
        assert self.balance.unnamed == 0
        assert len(self.outcomes) == self.balance.planned

    @property
    def problem(self) -> str:
        return type(self.delivered.problem).__name__


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for all runs, whose tables are each cursor's own: to start one takes 20 ms."""
    return duckdb.connect(config={"threads": 1})


def write_plan(path: Path, changes: Sequence[Change]) -> None:
    """Write a plan as the planner does."""
    table = {name: [getattr(c, name) for c in changes] for name in Change._fields}
    instants = pa.array(table.pop("occurred_ms"), pa.timestamp("ms"))
    columns = {
        name: pa.array(values, pa.int64() if name == "row" else pa.string())
        for name, values in table.items()
    }
    columns["occurred_at"] = instants.cast(pa.timestamp("us"))
    columns["is_exempt"] = pa.array([False] * len(changes), pa.bool_())
    pq.write_table(pa.table(columns), path)


@contextmanager
def bench(subject: Subject, folder: Path, refused: Collection[str] = ()) -> Iterator[Bench]:
    """A stand-in of the subject's, running while the block does."""
    with (
        serve_in_thread(subject.app(refused)) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        yield Bench(subject, url, client, folder)
        client.post("/_fake/release")
