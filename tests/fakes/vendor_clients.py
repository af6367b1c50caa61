# ruff: noqa: S106 - the secrets are the stand-ins' own, of no use elsewhere
"""The vendors' own Python clients, each sending to a stand-in what it sends to its vendor.

Runs in an environment of its own (`make vendors`): `.venv-vendors/bin/python
tests/fakes/vendor_clients.py mixpanel http://127.0.0.1:8801`. It says as JSON what the client made
of the replies.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

INSTANT = 1_768_472_430
INSERT_ID = "29fc2962-6d9c-455d-95ad-95b84f09b9e4"
ULID = "01KF0000000000000000000000"
EMAILS = ("Mary@Example.com ", "john_smith@gmail.com")


def amplitude(url: str) -> Any:  # noqa: ANN401 - what to print
    from amplitude import Amplitude, BaseEvent, Config, Identify
    from amplitude.event import EventOptions

    said = []
    for path, user in (("/2/httpapi", "user-1001"), ("/batch", "u2")):
        settings = Config(
            server_url=url + path,
            min_id_length=1,
            flush_max_retries=1,
            flush_interval_millis=10,
            callback=lambda event, code, _message=None: said.append([event.event_type, code]),
        )
        client = Amplitude("fake-amplitude-api-key", settings)
        event = BaseEvent(
            "Email Opened",
            user_id=user,
            time=INSTANT * 1000,
            insert_id=f"{INSERT_ID}-{user}",
            event_properties={"campaign_id": 12},
        )
        client.track(event)
        client.identify(Identify().set("fatigue_tier", "high"), EventOptions(user_id=user))
        for future in client.flush():
            future.result()
        client.shutdown()
    return sorted(said)


def customerio(url: str) -> Any:  # noqa: ANN401 - what to print
    from customerio import CustomerIO
    from requests.adapters import HTTPAdapter

    class Plain(HTTPAdapter):
        """The client knows no other scheme than https."""

        def send(self, request: Any, **more: Any) -> Any:  # noqa: ANN401 - of requests
            request.url = request.url.replace("https://", "http://", 1)
            return super().send(request, **more)

    host, _, port = url.removeprefix("http://").partition(":")
    client = CustomerIO("fake-site-id", "fake-track-api-key", host=host, port=int(port), retries=0)
    client.http.mount("https://", Plain())
    client.identify("user-1001", email="mary@example.com", tier="high", created_at=INSTANT)
    client.identify("user-1002", plan="basic")
    client.track("user-1001", "Email Opened", {"campaign_id": 12}, id=ULID, timestamp=INSTANT)
    client.pageview("user-1001", "https://example.com/cart", referrer="mail")
    client.backfill("user-1001", "Order Placed", INSTANT, total=12.5)
    client.track_anonymous("visitor-7", "Product Viewed", {"sku": "a"})
    client.identify("user-1004", plan="basic", city="Berlin")
    client.merge_customers("id", "user-1001", "id", "user-1004")
    client.suppress("user-1002")
    client.identify("user-1002", plan="never")
    client.unsuppress("user-1002")
    client.identify("user-1002", plan="again")
    client.delete("user-1002")
    person = {"type": "person", "identifiers": {"id": "user-1003"}}
    client.batch(
        [
            person | {"action": "identify", "attributes": {"plan": "pro"}},
            person | {"action": "event", "name": "Cart Left", "attributes": {}},
        ]
    )
    return "sent"


def google(url: str) -> Any:  # noqa: ANN401 - what to print
    import hashlib
    from datetime import UTC, datetime

    from google.ads import datamanager_v1 as api
    from google.ads.datamanager_v1.services.ingestion_service import transports as ingestion
    from google.ads.datamanager_v1.services.user_list_service import transports as lists
    from google.oauth2.credentials import Credentials

    login = Credentials(
        None,
        refresh_token="fake-google-refresh-token",
        client_id="fake-google-client",
        client_secret="fake-google-client-secret",
        token_uri=f"{url}/token",
    )
    where = {"host": url.removeprefix("http://"), "url_scheme": "http", "credentials": login}
    user_lists = api.UserListServiceClient(transport=lists.UserListServiceRestTransport(**where))
    made = user_lists.create_user_list(
        parent="accountTypes/GOOGLE_ADS/accounts/1234567890",
        user_list=api.UserList(
            display_name="CIO | Buyers | 0-3d",
            membership_duration={"seconds": 540 * 86_400},
            ingested_user_list_info={
                "upload_key_types": ["CONTACT_ID"],
                "contact_id_info": {"data_source_type": "DATA_SOURCE_TYPE_FIRST_PARTY"},
            },
        ),
    )
    found = [
        one.display_name
        for one in user_lists.list_user_lists(parent="accountTypes/GOOGLE_ADS/accounts/1234567890")
    ]
    client = api.IngestionServiceClient(transport=ingestion.IngestionServiceRestTransport(**where))
    account = {"account_type": "GOOGLE_ADS", "account_id": "1234567890"}
    to = {"destinations": [{"operating_account": account, "product_destination_id": str(made.id)}]}
    people = (*EMAILS, "a@example.com")
    digests = [hashlib.sha256(text.strip().lower().encode()).hexdigest() for text in people]
    members = [{"user_data": {"user_identifiers": [{"email_address": d}]}} for d in digests]
    granted = dict.fromkeys(("ad_user_data", "ad_personalization"), "CONSENT_GRANTED")
    terms = {"customer_match_terms_of_service_status": "ACCEPTED"}
    more = {"consent": granted, "terms_of_service": terms, "encoding": "HEX"}
    answers = [
        client.ingest_audience_members(to | more | {"audience_members": members}),
        client.remove_audience_members(to | {"encoding": "HEX", "audience_members": members[:1]}),
    ]
    began = datetime.now(UTC)
    again = client.ingest_audience_members(to | more | {"audience_members": members[1:2]})
    answers += [again, client.remove_all_audience_members(to | {"remove_as_of_time": began})]
    statuses = [client.retrieve_request_status({"request_id": one.request_id}) for one in answers]
    return [found, [one.request_status_per_destination[0].request_status.name for one in statuses]]


def meta(url: str) -> Any:  # noqa: ANN401 - what to print
    from facebook_business.adobjects.adaccount import AdAccount
    from facebook_business.adobjects.customaudience import CustomAudience
    from facebook_business.api import FacebookAdsApi
    from facebook_business.session import FacebookSession

    FacebookSession.GRAPH = url
    api = FacebookAdsApi.init(access_token="fake-meta-access-token", api_version="v25.0")
    body = {
        "name": "CIO | Buyers | 0-3d",
        "subtype": "CUSTOM",
        "customer_file_source": "USER_PROVIDED_ONLY",
    }
    account = AdAccount("act_1234567890", api=api)
    made = account.create_custom_audience(params=body)
    other = account.create_custom_audience(params=body | {"name": "CIO | Everybody"})
    found = [one["name"] for one in account.get_custom_audiences(fields=["id", "name"])]
    audience = CustomAudience(made["id"], api=api)
    schema = CustomAudience.Schema
    keys = schema.MultiKeySchema
    answers = [
        audience.add_users(schema.email_hash, list(EMAILS)),
        audience.add_users(
            [keys.extern_id, keys.email], [["user-1003", "a@example.com"]], is_raw=True
        ),
        audience.remove_users(schema.email_hash, [EMAILS[1]]),
    ]
    for batch, person in enumerate(("user-1", "user-2"), start=1):
        # closed by the second
        session = {"session_id": 77, "batch_seq": batch, "last_batch_flag": batch > 1}
        payload = {"schema": [keys.extern_id], "data": [[person]]}
        CustomAudience(other["id"], api=api).create_users_replace(
            params={"payload": payload, "session": session}
        )
    counts = [[one.json()["num_received"], one.json()["num_invalid_entries"]] for one in answers]
    return [found, counts]


def mixpanel(url: str) -> Any:  # noqa: ANN401 - what to print
    from mixpanel import BufferedConsumer, Consumer, Mixpanel, ServiceAccountCredentials

    urls = {f"{name}_url": f"{url}/{path}" for name, path in ENDPOINTS.items()}
    client = Mixpanel("fake-mixpanel-token", Consumer(**urls))
    client.track("user-1001", "Email Opened", {"campaign_id": 12, "$insert_id": INSERT_ID})
    more = {"$insert_id": INSERT_ID}
    client.import_data(
        None, "user-1001", "Email Sent", INSTANT, more, api_secret="fake-mixpanel-token"
    )
    client.people_set("user-1001", {"fatigue_tier": "high"})
    client.people_union("user-1001", {"cio_audiences": ["fatigued", "buyers"]})
    client.people_remove("user-1001", {"cio_audiences": "buyers"})
    account = ServiceAccountCredentials("fake-user", "fake-mixpanel-secret", "1")
    buffered = BufferedConsumer(**urls, credentials=account)
    client = Mixpanel("fake-mixpanel-token", buffered)
    for number in range(3):
        client.import_data(None, f"user-{number}", "Email Delivered", INSTANT + number)
        client.people_set(f"user-{number}", {"number": number})
    buffered.flush()
    return "sent"


ENDPOINTS = {"events": "track", "people": "engage", "import": "import"}


def segment(url: str) -> Any:  # noqa: ANN401 - what to print
    from datetime import UTC, datetime

    from segment.analytics.client import Client

    said: list[str] = []
    client = Client(
        "fakeSegmentWriteKey0123456789abc",
        host=url,
        gzip=True,
        on_error=lambda error, _batch: said.append(str(error)),
    )
    instant = datetime.fromtimestamp(INSTANT, UTC)
    client.track("user-1001", "Email Opened", {"campaign_id": "12"}, timestamp=instant)
    client.identify("user-1001", {"fatigue_tier": "high"})
    client.group("user-1001", "household-7", {"people": 3})
    client.shutdown()
    return said


CLIENTS: dict[str, Callable[[str], Any]] = {
    one.__name__: one for one in (amplitude, customerio, google, meta, mixpanel, segment)
}


if __name__ == "__main__":
    print(json.dumps(CLIENTS[sys.argv[1]](sys.argv[2])))  # noqa: T201 - what a process says
