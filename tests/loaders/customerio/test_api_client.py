"""The client of the App API: its rate, refusals, encoding, and what stays hidden."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from fakes.customerio_app import APP_API_KEY, create_app
from fakes.server import serve_in_thread
from loaders.customerio.api_client import (
    ApiClient,
    ApiKeyRejected,
    ApiRefused,
    ApiUnavailable,
    query,
    segment,
)
from loaders.customerio.api_pace import REQUESTS_PER_SECOND, Bucket, Timing
from loaders.customerio.api_replies import Answer, explain, retry_after
from loaders.customerio.api_settings import ApiSettings, read_api_settings
from warehouse.errors import UsageError
from warehouse.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.customerio_app import Workspace
    from tests.loaders.customerio.conftest import Api


@pytest.fixture
def client(api: Api) -> Iterator[ApiClient]:
    with ApiClient(read_api_settings(), api.time.timing) as client:
        yield client


def asked(client: ApiClient, path: str = "campaigns", **params: object) -> Answer:
    answer = client.get(path, params)
    assert answer is not None
    return answer


def test_the_rate_is_kept_over_many_requests(api: Api, client: ApiClient) -> None:
    for _ in range(31):
        asked(client)
    # the stand-in counts by the same clock, and refused none
    assert {seen.status for seen in api.control.seen} == {200}
    assert api.time.seconds == pytest.approx(30 / REQUESTS_PER_SECOND)


def test_the_rate_is_kept_over_requests_at_once(workspace: Workspace) -> None:
    # by the true clock: of a made one, threads that wait at once would see no second pass
    control = create_app(workspace)
    with serve_in_thread(control) as url:
        settings = ApiSettings(Secret(APP_API_KEY), base_url=f"{url}/v1")
        with ApiClient(settings) as client:
            answers = list(client.each(lambda _: asked(client), range(14)))
    assert len(answers) == 14
    assert {seen.status for seen in control.seen} == {200}


def test_a_bucket_never_gives_more_in_a_second_than_its_rate() -> None:
    times: list[float] = []
    now = [100.0]

    def sleep(seconds: float, _halt: threading.Event) -> None:
        now[0] += seconds

    bucket = Bucket(Timing(monotonic=lambda: now[0], sleep=sleep))
    for turn in range(40):
        if turn == 20:
            now[0] += 5
        bucket.take(threading.Event())
        times.append(now[0])
    assert all(sum(start <= t < start + 0.999 for t in times) <= 10 for start in times)
    bucket.pause(3)
    bucket.take(threading.Event())
    assert now[0] == pytest.approx(times[-1] + 3)


def test_who_is_told_to_wait_waits_that_long_and_asks_again(api: Api, client: ApiClient) -> None:
    api.fail(kind="status", status=429, times=2, headers={"retry-after": "7"})
    assert asked(client).items("campaigns")
    assert api.time.seconds == pytest.approx(14.0)
    assert client.requests == 3


def test_a_workspace_whose_rate_another_program_uses_up_is_waited_for(
    api: Api, client: ApiClient
) -> None:
    api.fail(kind="status", status=429, times=60, headers={"retry-after": "1"})
    assert asked(client).items("campaigns")
    api.fail(kind="status", status=429, times=10_000, headers={"retry-after": "1"})
    with pytest.raises(ApiUnavailable, match="429"):
        asked(client)


def test_a_daily_quota_ends_the_load_with_its_reason(api: Api, client: ApiClient) -> None:
    body = '{"errors": [{"detail": "daily quota reached", "status": "429"}]}'
    api.fail(kind="status", status=429, times=100, body=body)
    with pytest.raises(ApiUnavailable, match=r"it answered 429 .daily quota reached., 8 attempts"):
        asked(client)
    assert api.time.seconds == pytest.approx(1 + 2 + 4 + 8 + 16 + 32 + 60)


@pytest.mark.parametrize(
    "failure",
    [
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 500},
        {"kind": "drop"},
        {"kind": "malformed"},
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again(
    api: Api, client: ApiClient, failure: dict[str, object]
) -> None:
    api.fail(**failure, times=3)
    assert len(asked(client).items("campaigns")) == 2
    assert api.time.waits[:1] == [1.0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"errors": [{"detail": "bad request", "status": "400"}]}', "bad request"),
        ('{"meta": {"error": "not a thing"}}', "not a thing"),
        ('{"meta": {"errors": ["one", "two"]}}', "one; two"),
        (
            '{"errors": [{"detail": "bad", "status": "400", "source": {"pointer": "/a/b"}}]}',
            "bad (at /a/b)",
        ),
        ("<html>", ""),
        ("[1]", ""),
        ('{"errors": "no", "meta": 3}', ""),
        ('{"errors": [7, {"detail": null}]}', ""),
    ],
)
def test_every_envelope_of_a_refusal_is_read(
    api: Api, client: ApiClient, body: str, words: str
) -> None:
    assert explain(body.encode()) == words
    api.fail(kind="status", status=422, body=body)
    with pytest.raises(ApiRefused) as error:
        asked(client)
    assert f"GET campaigns (422): {words or 'no reason given'}." in str(error.value)
    # what no waiting mends is not tried again
    assert client.requests == 1


def test_a_rejected_key_says_key_or_region_and_is_not_shown(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", "a-key-of-the-other-region")
    with pytest.raises(
        ApiKeyRejected, match=r"not an App API key .* not in the region us"
    ) as error:
        api.load("topics")
    assert "a-key-of-the-other-region" not in str(error.value)


def test_no_failure_shows_the_key_or_an_address(api: Api, client: ApiClient) -> None:
    body = '{"errors": [{"detail": "%s is not for ana@example.com", "status": "400"}]}'
    api.fail(kind="status", status=400, body=body % APP_API_KEY)
    with pytest.raises(ApiRefused) as error:
        asked(client)
    assert "… is not for …" in str(error.value)
    chain = [error.value, error.value.__cause__, error.value.__context__]
    assert not any(APP_API_KEY in repr(link) for link in chain)


def test_a_redirect_is_not_followed(api: Api, client: ApiClient) -> None:
    api.fail(kind="status", status=302, headers={"location": f"{api.url}/v1/topics"})
    with pytest.raises(ApiRefused, match="302"):
        asked(client)


def test_what_is_not_there_is_nothing(client: ApiClient) -> None:
    assert client.get("campaigns/99/actions") is None


def test_everything_in_an_address_is_encoded(api: Api, client: ApiClient) -> None:
    assert query({"start": "a+b@c/d=&é"}) == "?start=a%2Bb%40c%2Fd%3D%26%C3%A9"
    assert query({}) == ""
    assert segment("a/b+c@d") == "a%2Fb%2Bc%40d"
    # the stand-in's tokens hold a plus and an at sign, and get an empty page when they are bare
    api.workspace.page_size = 1
    first = asked(client, limit=1)
    assert {"+", "@"} <= set(first.next)
    assert asked(client, start=first.next).items("campaigns") == [api.workspace.campaigns[1]]


def test_the_end_of_a_list_is_known_by_its_next() -> None:
    assert Answer({"next": None}, b"").next == ""
    assert Answer({}, b"").next == ""
    assert Answer({"next": 7}, b"").next == "7"
    assert Answer({"items": None, "others": [1, {"a": 2}]}, b"").items("items") == []
    assert Answer({"others": [1, {"a": 2}]}, b"").items("others") == [{"a": 2}]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("2", 2.0), ("0.5", 0.5), ("soon", None), ("-1", None), ("inf", None)],
)
def test_retry_after_is_a_number_of_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_a_waiting_request_ends_with_the_load(api: Api) -> None:
    with ApiClient(read_api_settings(), api.time.timing) as client:
        pass
    with pytest.raises(ApiUnavailable, match="was ended"):
        client.get("topics")


class TestSettings:
    def test_the_region_decides_the_address(self) -> None:
        assert ApiSettings(Secret("k")).url == "https://api.customer.io/v1"
        assert ApiSettings(Secret("k"), "eu").url == "https://api-eu.customer.io/v1"
        assert ApiSettings(Secret("k"), base_url="http://x/v1/").url == "http://x/v1"

    def test_a_region_that_is_none_is_named(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOADERS__CUSTOMERIO__REGION", "mars")
        with pytest.raises(UsageError, match="region 'mars'"):
            api.load("topics")

    @pytest.mark.parametrize("address", ["http://[bad", "api.customer.io", "http://example.com/v1"])
    def test_the_key_goes_only_where_nobody_listens(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        monkeypatch.setenv("LOADERS__CUSTOMERIO__BASE_URL", address)
        with pytest.raises(UsageError, match="no address the key may go to"):
            api.load("topics")

    def test_without_a_key_it_says_where_to_put_one(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("LOADERS__CUSTOMERIO__APP_API_KEY")
        with pytest.raises(UsageError, match="LOADERS__CUSTOMERIO__APP_API_KEY"):
            api.load("topics")
        assert api.paths == []
