from __future__ import annotations

import json
import logging
import socket
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from reverse_etl.destinations import DESTINATIONS
from reverse_etl.http import Http

from .conformance import SECRET, SOMEBODY, SUBJECTS, Bench, bench, identifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BAD = identifier(3)


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.name)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with bench(request.param, tmp_path, refused=[BAD]) as found:
        yield found


def good(count: int) -> list[str]:
    return sorted(identifier(number) for number in range(count) if identifier(number) != BAD)


def test_every_object_of_the_registry_is_a_subject() -> None:
    objects = {(d.name, name) for d in DESTINATIONS.values() for name in d.objects}
    # files have no requests to fail, and a lookup table and a message are about nobody: each has
    # tests of its own
    objects -= {("files", "rows"), ("mixpanel", "campaign_lookup"), ("slack", "numbers")}
    assert objects == {(subject.destination, subject.object) for subject in SUBJECTS}


def test_rows_arrive_once(at: Bench) -> None:
    result = at.deliver([at.change(n) for n in range(10, 60)])
    assert set(result.outcomes) == {"accepted"}
    assert at.sent == sorted(identifier(n) for n in range(10, 60))


def test_sending_again_changes_nothing(at: Bench) -> None:
    changes = [at.change(n) for n in range(10, 30)]
    at.deliver(changes)
    before = at.sent
    at.deliver(changes)
    assert at.sent == before


def test_one_bad_row_does_not_hold_back_the_good_ones(at: Bench) -> None:
    result = at.deliver(at.changes(10))
    assert at.sent == good(10)
    if at.subject.is_silent:
        assert set(result.outcomes) == {"accepted"}
        return
    assert result.outcomes.count("accepted") == 9
    assert result.outcomes[3] == at.subject.dropped
    assert result.reasons[3]


def test_a_reason_does_not_name_the_person(at: Bench) -> None:
    result = at.deliver(at.changes(10))
    assert BAD not in (result.reasons[3] or "")


def test_rows_that_are_all_bad_are_all_rejected(at: Bench) -> None:
    result = at.deliver([at.change(3, record_key=f"{n:032d}") for n in range(8)])
    assert set(result.outcomes) == {"accepted" if at.subject.is_silent else at.subject.dropped}
    assert at.sent == []


def test_a_row_against_the_rules_is_rejected_without_being_sent(at: Bench) -> None:
    result = at.deliver([at.subject.locally_bad, at.change(11)])
    assert result.outcomes == ["rejected", "accepted"]
    assert result.attempts == [0, 1]


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_the_sync(at: Bench, status: int) -> None:
    at.fail({"kind": "status", "status": status, "times": 99})
    result = at.deliver(at.changes(40), records_per_request=10)
    assert result.problem == "CredentialsRejected"
    assert set(result.outcomes) == {"skipped"}
    assert len(at.requests) == 1


def test_wrong_credentials_stop_the_sync(at: Bench) -> None:
    result = at.deliver(at.changes(2), secret=SECRET)
    assert result.problem == ("NoneType" if at.subject.is_silent else "CredentialsRejected")
    assert at.sent == []


def test_an_unknown_path_stops_the_sync(at: Bench) -> None:
    at.fail({"kind": "status", "status": 404, "times": 99})
    result = at.deliver(at.changes(40), records_per_request=10)
    assert result.problem == "DestinationMisconfigured"
    assert set(result.outcomes) == {"skipped"}
    assert len(at.requests) == 1


def test_a_request_that_is_too_large_is_halved(at: Bench) -> None:
    at.fail({"kind": "status", "status": 413, "times": 2})
    result = at.deliver([at.change(n) for n in range(10, 26)])
    assert set(result.outcomes) == {"accepted"}
    assert at.sent == sorted(identifier(n) for n in range(10, 26))


def test_a_row_that_is_too_large_alone_is_rejected(at: Bench) -> None:
    at.fail({"kind": "status", "status": 413, "times": 99})
    result = at.deliver([at.change(10), at.change(11)])
    assert result.outcomes == ["rejected", "rejected"]
    assert result.delivered.problem is None


def test_retry_after_in_seconds_is_obeyed(at: Bench) -> None:
    at.fail({"kind": "status", "status": 429, "headers": {"Retry-After": "37"}})
    result = at.deliver([at.change(10)], jitter_seconds=1.0)
    assert result.outcomes == ["accepted"]
    assert at.time.slept == [37.5]


def test_retry_after_as_a_date_is_obeyed(at: Bench) -> None:
    instant = at.time.clock().now().replace(microsecond=0) + timedelta(seconds=90)
    header = format_datetime(instant).replace("-0000", "GMT")
    at.fail({"kind": "status", "status": 429, "headers": {"Retry-After": header}})
    at.deliver([at.change(10)], jitter_seconds=0.0)
    assert len(at.time.slept) == 1
    assert 85 < at.time.slept[0] <= 90


def test_without_retry_after_waits_double(at: Bench) -> None:
    at.fail({"kind": "status", "status": 429, "times": 6})
    result = at.deliver([at.change(10)], jitter_seconds=0.0)
    assert result.outcomes == ["accepted"]
    assert at.time.slept == [2, 4, 8, 16, 32, 60]


def test_jitter_is_added(at: Bench) -> None:
    at.fail({"kind": "status", "status": 429})
    at.deliver([at.change(10)], jitter_seconds=4.0)
    assert at.time.slept == [4.0]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_is_tried_again(at: Bench, status: int) -> None:
    at.fail({"kind": "status", "status": status, "times": 3})
    result = at.deliver([at.change(10)])
    assert result.outcomes == ["accepted"]
    assert result.attempts == [4]


def test_rows_nobody_took_stay_planned_when_patience_ends(at: Bench) -> None:
    at.fail({"kind": "status", "status": 429, "times": 99})
    result = at.deliver(at.changes(40), records_per_request=10, attempts=3)
    assert result.problem == "DestinationUnavailable"
    assert set(result.outcomes) == {"skipped"}
    assert len(at.requests) == 3


def test_rows_that_may_have_been_taken_are_unknown_when_patience_ends(at: Bench) -> None:
    at.fail(
        {"kind": "status", "status": 504, "times": 1},
        {"kind": "status", "status": 429, "times": 99},
    )
    result = at.deliver(at.changes(20), records_per_request=10, attempts=3)
    assert result.outcomes == ["unknown"] * 10 + ["skipped"] * 10


def test_a_wait_longer_than_patience_ends_the_run_at_once(at: Bench) -> None:
    at.fail({"kind": "status", "status": 429, "headers": {"Retry-After": "86400"}})
    result = at.deliver([at.change(10)], give_up_after_seconds=600.0)
    assert result.problem == "DestinationUnavailable"
    assert at.time.slept == []


def test_nobody_listening_leaves_rows_planned(at: Bench) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    result = at.deliver(at.changes(3), url=f"http://127.0.0.1:{port}", attempts=2)
    assert result.problem == "DestinationUnavailable"
    assert set(result.outcomes) == {"skipped"}


LOST = [
    pytest.param({"kind": "hold", "when": "after"}, id="time-out after acceptance"),
    pytest.param({"kind": "drop", "when": "before"}, id="dropped before acceptance"),
    pytest.param({"kind": "drop", "when": "after"}, id="dropped after acceptance"),
    pytest.param({"kind": "slow", "when": "after"}, id="half a reply, then nothing"),
    pytest.param({"kind": "malformed", "when": "after"}, id="malformed after acceptance"),
    pytest.param({"kind": "malformed", "when": "before"}, id="malformed without acceptance"),
    pytest.param({"kind": "malformed", "when": "after", "body": "[]"}, id="another reply"),
    pytest.param({"kind": "status", "status": 400, "when": "after", "body": "?"}, id="not JSON"),
]


@pytest.mark.parametrize("failure", LOST)
def test_a_lost_reply_neither_loses_nor_doubles_rows(at: Bench, failure: dict[str, str]) -> None:
    at.fail(failure)
    result = at.deliver([at.change(n) for n in range(10, 15)], timeout=0.25)
    assert set(result.outcomes) == {"accepted"}
    assert set(result.attempts) == {2}
    assert at.sent == sorted(identifier(n) for n in range(10, 15))


@pytest.mark.parametrize("failure", LOST)
def test_a_lost_reply_is_unknown_where_repeating_is_not_safe(
    at: Bench, failure: dict[str, str]
) -> None:
    at.fail(failure)
    changes = [at.change(n) for n in range(10, 20)]
    result = at.deliver(changes, timeout=0.25, is_repeatable=False, records_per_request=5)
    # of a list that is replaced nothing counts before all of it was taken
    rest = {"unknown", "skipped"} if at.subject.is_replaced else {"accepted"}
    assert result.outcomes[:5] == ["unknown"] * 5
    assert set(result.outcomes[5:]) <= rest
    assert set(result.attempts) == {1}


def test_redirects_are_not_followed(at: Bench) -> None:
    headers = {"Location": f"{at.url}/elsewhere"}
    at.fail({"kind": "status", "status": 307, "headers": headers, "times": 1})
    result = at.deliver(at.changes(2))
    assert result.problem == "DestinationMisconfigured"
    assert [request["path"] for request in at.requests if "elsewhere" in request["path"]] == []
    assert len(at.requests) == 1


def test_a_row_larger_than_a_record_may_be_is_rejected(at: Bench) -> None:
    small = at.change(10)
    result = at.deliver([small, at.change(11)], limits={"record_size": 8})
    assert result.outcomes == ["rejected", "rejected"]
    assert at.requests == []


@pytest.mark.parametrize(("rows", "requests"), [(9, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_batches_are_bounded_by_count(at: Bench, rows: int, requests: int) -> None:
    at.deliver([at.change(n) for n in range(10, 10 + rows)], limits={"records": 10})
    assert len(at.requests) == requests + at.subject.closings
    assert len(at.sent) == rows


@pytest.mark.parametrize(("spare", "requests"), [(0, 1), (1, 1), (-1, 2)])
def test_batches_are_bounded_by_bytes_to_the_byte(at: Bench, spare: int, requests: int) -> None:
    changes = [at.change(n) for n in range(10, 15)]
    probe = at.deliver(changes)
    body = probe.limits.join([probe.channel.encode(change) for change in changes])
    before = len(at.requests)
    at.deliver(changes, limits={"size": len(body) + spare})
    assert len(at.requests) - before == requests + at.subject.closings


def test_text_of_any_language_and_empty_texts_arrive(at: Bench) -> None:
    note = 'Grüße, 東京 🎈 "quoted"' + chr(92) + chr(0)
    texts = {"note": note, "empty": "", "zero": 0, "no": False, "null": None}
    payload = json.dumps(texts)
    result = at.deliver([at.change(10, payload=payload, identifier=SOMEBODY)])
    assert result.outcomes == ["accepted"]
    assert at.sent == [SOMEBODY]


def test_an_empty_plan_sends_nothing(at: Bench) -> None:
    result = at.deliver([])
    assert result.outcomes == []
    assert at.requests == []


def test_secrets_are_never_shown(at: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings = at.subject.settings(at.url, SECRET)
    result = at.deliver(at.changes(2), secret=SECRET)
    shown = [
        caplog.text,
        repr(settings),
        str(settings),
        f"{settings}",
        repr(result.channel),
        str(result.delivered.problem),
        repr(result.delivered),
        result.folder.outcomes.read_text(),
        *(reason or "" for reason in result.reasons),
    ]
    assert [text for text in shown if SECRET in text] == []


def test_a_base_url_may_end_in_a_slash(at: Bench) -> None:
    result = at.deliver([at.change(10)], url=f"{at.url}/")
    assert result.outcomes == ["accepted"]


def test_the_rate_is_kept(at: Bench) -> None:
    changes = [at.change(n) for n in range(10, 110)]
    at.deliver(changes, records_per_second=5.0, records_per_request=10)
    # the first ten leave at once, each ten after them two seconds later, then what closes a list
    assert at.time.elapsed == pytest.approx(20.0 if at.subject.is_replaced else 18.0)


def test_several_connections_deliver_the_same(at: Bench) -> None:
    changes = [at.change(n) for n in range(10, 210)]
    result = at.deliver(changes, connections=4, records_per_request=7)
    assert set(result.outcomes) == {"accepted"}
    assert at.sent == sorted(identifier(n) for n in range(10, 210))


def test_a_halt_leaves_the_rest_planned(at: Bench) -> None:
    at.halt.set()
    result = at.deliver(at.changes(5))
    assert set(result.outcomes) == {"skipped"}
    assert result.delivered.is_interrupted
    assert at.requests == []


def test_the_check_tells_good_credentials_from_bad_ones(at: Bench) -> None:
    for secret, expected in ((None, True), (SECRET, at.subject.is_silent)):
        target = at.target(secret=secret)
        with Http(target.url, clock=at.time.clock()) as http:
            check = target.check(http)
        assert check.is_ok is expected
        assert SECRET not in check.message
    assert at.sent == []
