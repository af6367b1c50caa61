from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import amplitude
from fakes.server import serve_in_thread
from reverse_etl.contract import Change, Denied, Later, Refused, Stop, Taken, TooLarge, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.amplitude import AMPLITUDE, AmplitudeSettings
from reverse_etl.destinations.amplitude_cohort_api import read_skipped
from reverse_etl.destinations.amplitude_cohorts import CohortOptions, Cohorts
from reverse_etl.http import Http

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = AmplitudeSettings(
    api_key=Secret(amplitude.API_KEY),
    secret_key=Secret(amplitude.SECRET_KEY),
    app_id=str(amplitude.APP_ID),
    owner=amplitude.OWNER,
)
AUTH = (amplitude.API_KEY, amplitude.SECRET_KEY)
COHORTS = "/api/3/cohorts"
ADD, REMOVE = "ADD CIO | Buyers", "REMOVE CIO | Buyers"


class Project:
    """A project of the stand-in, and what was asked of it."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, trust_env=False)

    @property
    def cohorts(self) -> dict[str, list[str]]:
        return self.client.get("/_fake/cohorts").json()

    @property
    def asked(self) -> list[str]:
        requests = self.client.get("/_fake/requests").json()
        return [f"{seen['method']} {seen['path'].removeprefix(COHORTS)}" for seen in requests]

    def fail(self, **failure: object) -> None:
        self.client.post("/_fake/script", json=[failure])

    def upload(self, **values: object) -> str:
        body = {
            "name": "CIO | Buyers",
            "app_id": amplitude.APP_ID,
            "id_type": "BY_USER_ID",
            "ids": ["before"],
            "owner": amplitude.OWNER,
            "published": True,
        }
        return self.client.post(f"{COHORTS}/upload", json=body | values, auth=AUTH).json()

    def listed(self) -> list[dict[str, Any]]:
        return self.client.get(COHORTS, auth=AUTH).json()["cohorts"]


@pytest.fixture
def served() -> Iterator[str]:
    with serve_in_thread(amplitude.create_app(refused=["stranger", "other"])) as url:
        yield url


@pytest.fixture
def project(served: str) -> Iterator[Project]:
    project = Project(served)
    yield project
    project.client.close()


@pytest.fixture
def http(served: str) -> Iterator[Http]:
    with Http(served) as http:
        yield http


@pytest.fixture
def channel(http: Http) -> Cohorts:
    return Cohorts.open(SETTINGS, CohortOptions(), http)


def change(**values: object) -> Change:
    good = Change(0, "add", "k", "p", "someone", "CIO | Buyers", None, "{}", "f")
    return good._replace(**values)


def test_a_record_is_an_id_and_a_request_one_cohort_and_operation(channel: Cohorts) -> None:
    assert channel.encode(change()) == b'"someone"'
    assert channel.route(change()) == channel.route(change(operation="update")) == ADD
    assert channel.route(change(operation="remove")) == REMOVE
    assert channel.route(change(label="CIO | Others")) != ADD


@pytest.mark.parametrize("values", [{"identifier": "null"}, {"identifier": ""}, {"label": ""}])
def test_membership_needs_a_person_and_a_label(channel: Cohorts, values: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        channel.encode(change(**values))


def test_the_first_addition_makes_the_cohort(channel: Cohorts, project: Project) -> None:
    assert channel.send(ADD, [b'"a"', b'"b"']) == Taken()
    assert channel.send(ADD, [b'"c"']) == Taken()
    assert project.cohorts == {"CIO | Buyers": ["a", "b", "c"]}
    assert project.asked == ["GET ", "POST /upload", "POST /membership", "POST /membership"]


def test_a_cohort_that_is_there_is_found_by_its_name(channel: Cohorts, project: Project) -> None:
    project.upload()
    project.upload(name="Another")
    assert channel.send(ADD, [b'"a"']) == Taken()
    assert project.cohorts == {"CIO | Buyers": ["before", "a"], "Another": ["before"]}


def test_removals_leave_the_cohort_and_need_none(channel: Cohorts, project: Project) -> None:
    assert channel.send(REMOVE, [b'"a"']) == Taken()
    assert project.cohorts == {}
    project.upload(ids=["a", "b"])
    assert channel.send(REMOVE, [b'"a"', b'"stranger"']) == Taken()
    assert project.cohorts == {"CIO | Buyers": ["b"]}


def test_who_is_skipped_is_unknown_to_amplitude(channel: Cohorts, project: Project) -> None:
    records = [b'"a"', b'"stranger"', b'"b"', b'"other"', b'"stranger"']
    refused = dict.fromkeys([1, 3, 4], "unknown to Amplitude")
    assert channel.send(ADD, records) == Taken(refused)
    assert project.cohorts == {"CIO | Buyers": ["a", "b"]}


def test_no_cohort_is_made_of_strangers(channel: Cohorts, project: Project) -> None:
    assert isinstance(channel.send(ADD, [b'"stranger"']), Unnamed)
    assert project.cohorts == {}


def test_a_cohort_made_while_the_reply_was_lost_is_found(
    channel: Cohorts, project: Project
) -> None:
    project.fail(kind="drop", when="after", path=f"{COHORTS}/upload")
    lost = channel.send(ADD, [b'"a"'])
    assert isinstance(lost, Later)
    assert lost.is_maybe_accepted
    assert channel.send(ADD, [b'"a"']) == Taken()
    assert project.cohorts == {"CIO | Buyers": ["a"]}


@pytest.mark.parametrize(
    "failure",
    [
        {"kind": "drop", "when": "after"},
        {"kind": "status", "status": 504},
        {"kind": "malformed"},
        {"kind": "malformed", "body": "[]"},
        {"kind": "malformed", "body": '{"cohorts": [{"id": 1}]}'},
        {"kind": "status", "status": 429, "headers": {"Retry-After": "9"}},
    ],
)
def test_no_row_was_taken_while_the_cohort_was_looked_up(
    channel: Cohorts, project: Project, failure: dict[str, Any]
) -> None:
    project.fail(**failure)
    reply = channel.send(ADD, [b'"a"'])
    assert isinstance(reply, Later)
    assert not reply.is_maybe_accepted
    assert reply.wait_seconds == (9.0 if "headers" in failure else None)


@pytest.mark.parametrize(
    ("path", "failure", "expected"),
    [
        ("/upload", {"kind": "malformed"}, Later),
        ("/upload", {"kind": "status", "status": 413}, TooLarge),
        ("/membership", {"kind": "malformed", "body": '{"memberships_result":[]}'}, Later),
        ("/membership", {"kind": "status", "status": 400, "body": '{"error":{}}'}, Unnamed),
        ("", {"kind": "status", "status": 401}, Denied),
        ("", {"kind": "status", "status": 404}, Stop),
    ],
)
def test_what_hinders_a_request_is_told(
    channel: Cohorts, project: Project, path: str, failure: dict[str, Any], expected: type
) -> None:
    project.fail(path=COHORTS + path, **failure)
    assert isinstance(channel.send(ADD, [b'"a"']), expected)


def test_two_cohorts_of_one_name_stop_the_sync(channel: Cohorts, project: Project) -> None:
    project.upload()
    project.upload()
    assert isinstance(channel.send(ADD, [b'"a"']), Stop)
    assert project.cohorts == {"CIO | Buyers": ["before"]}


@pytest.mark.parametrize("values", [{"archived": True}, {"appId": 1}])
def test_archived_cohorts_and_those_of_other_projects_do_not_count(
    channel: Cohorts, project: Project, values: dict[str, Any]
) -> None:
    listed = {"id": "theirs", "name": "CIO | Buyers", "appId": amplitude.APP_ID} | values
    body = httpx.Response(200, json={"cohorts": [listed]}).text
    project.fail(kind="status", status=200, body=body)
    assert channel.send(ADD, [b'"a"']) == Taken()
    assert channel.known == {"CIO | Buyers": "cohort1"}


def test_cohorts_may_be_hidden(http: Http, project: Project) -> None:
    hidden = Cohorts.open(SETTINGS, CohortOptions(published=False), http)
    assert hidden.send(ADD, [b'"a"']) == Taken()
    assert [cohort["published"] for cohort in project.listed()] == [False]


@pytest.mark.parametrize(
    ("reply", "skipped"),
    [
        ({"memberships_result": [{"skipped_ids": ["a", 7]}]}, {"a", "7"}),
        ({"memberships_result": [{"skipped_ids": None}]}, set()),
        ({"memberships_result": [{}]}, set()),
        ({"memberships_result": [{"skipped_ids": "a"}]}, None),
        ({"memberships_result": [{}, {}]}, None),
        ({"memberships_result": ["a"]}, None),
        ({}, None),
    ],
)
def test_skipped_ids_are_read_from_the_documented_reply_alone(
    reply: dict[str, Any], skipped: set[str] | None
) -> None:
    assert read_skipped(reply) == skipped


@pytest.mark.parametrize(
    ("values", "is_ok", "message"),
    [
        ({}, True, "takes the keys, app_id and owner"),
        ({"app_id": "1"}, False, "check app_id and owner"),
        ({"owner": "nobody@example.com"}, False, "check app_id and owner"),
        ({"secret_key": Secret("wrong")}, False, "refuses the API key or the secret key"),
    ],
)
def test_the_check_is_an_upload_that_is_not_saved(
    http: Http, project: Project, values: dict[str, Any], message: str, *, is_ok: bool
) -> None:
    given = {
        "api_key": SETTINGS.api_key,
        "secret_key": SETTINGS.secret_key,
        "app_id": SETTINGS.app_id,
        "owner": SETTINGS.owner,
    }
    check = AMPLITUDE.objects["audience_members"].check
    assert check is not None
    found = check(AmplitudeSettings(**given | values), http)
    assert found.is_ok is is_ok
    assert message in found.message
    assert "example.com" not in found.message
    assert project.cohorts == {}


def test_the_check_says_when_nobody_answers(http: Http, project: Project) -> None:
    project.fail(kind="status", status=503)
    check = AMPLITUDE.objects["audience_members"].check
    assert check is not None
    assert check(SETTINGS, http).message == "answered 503"
