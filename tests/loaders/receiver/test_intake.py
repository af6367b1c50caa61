"""What is acknowledged, what is refused, and what of it is on disk."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from loaders.receiver.gate import Addresses, basic_header, networks
from loaders.receiver.spool import Limits, finished_files
from warehouse.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loaders.receiver.intake import Policy

    Run = Callable[..., Any]

EVENT = (
    b'{"event_id":"01E1","object_type":"email","metric":"sent","timestamp":1613063089,'
    b'"data":{"identifiers":{"id":"42"}}}'
)


def refused(page: str) -> dict[str, int]:
    """What the metrics page says was refused."""
    prefix = 'cio_receive_refused_total{reason="'
    lines = [line for line in page.splitlines() if line.startswith(prefix)]
    parts = [line.removeprefix(prefix).split('"} ') for line in lines]
    return {reason: int(number) for reason, number in parts if number != "0"}


def test_a_signed_event_is_on_disk_as_it_came_when_it_is_acknowledged(
    run: Run, policy: Callable[..., Policy]
) -> None:
    with run(policy()) as receiver:
        assert receiver.post(EVENT).status_code == 200
        assert receiver.lines() == [EVENT]
        page = receiver.client.get("/metrics").text
    assert "cio_receive_accepted_total 1\n" in page
    assert f"cio_receive_received_bytes_total {len(EVENT)}\n" in page
    assert "cio_receive_fsyncs_total 1\n" in page
    assert "cio_receive_spool_files 1\n" in page
    assert f"cio_receive_spool_bytes {len(EVENT) + 1}\n" in page
    assert 'cio_receive_latency_seconds_bucket{le="+Inf"} 1\n' in page
    assert refused(page) == {}


def test_what_is_not_signed_is_refused_counted_and_not_stored(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    good = sign(EVENT)
    with run(policy()) as receiver:
        statuses = [
            receiver.post(body, headers).status_code
            for body, headers in [
                (EVENT, {}),
                (EVENT, {"X-CIO-Timestamp": good["X-CIO-Timestamp"]}),
                (EVENT, {"X-CIO-Signature": good["X-CIO-Signature"]}),
                (EVENT, sign(EVENT, key="another")),
                (EVENT + b" ", good),
                (EVENT, good | {"X-CIO-Timestamp": "1"}),
                (EVENT, good | {"X-CIO-Signature": "zz"}),
            ]
        ]
        page = receiver.client.get("/metrics").text
        assert receiver.lines() == []
    assert statuses == [401] * 7
    assert refused(page) == {"missing_signature": 3, "bad_signature": 4}


def test_while_a_key_is_replaced_both_are_good(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    with run(policy(keys=("old", "new"))) as receiver:
        statuses = [
            receiver.post(EVENT, sign(EVENT, key=key)).status_code for key in ("old", "new", "x")
        ]
    assert statuses == [200, 200, 401]


def test_without_a_replay_window_an_old_request_is_good(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    with run(policy()) as receiver:
        assert receiver.post(EVENT, sign(EVENT, timestamp=1)).status_code == 200
        assert receiver.post(EVENT, sign(EVENT, timestamp="soon")).status_code == 200


def test_a_replay_window_refuses_what_was_sent_long_ago_or_ahead_of_time(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    now = int(time.time())
    with run(policy(replay_seconds=300)) as receiver:
        statuses = [
            receiver.post(EVENT, sign(EVENT, timestamp=moment)).status_code
            for moment in (now, now - 200, now - 400, now + 400, "soon", "")
        ]
        page = receiver.client.get("/metrics").text
    assert statuses == [200, 200, 401, 401, 401, 401]
    assert refused(page) == {"outside_replay_window": 3, "missing_signature": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[1, 2]",
        b'[{"event_id": "1"}]',
        b'{"event_id": NaN}',
        b'{"event_id": "\xff\xfe"}',
        b'{"a":' * 50 + b"1" + b"}" * 50,
        b'{"event_id": "1", "event_id": "2"}',
        b'{"event_id": "\\ud800"}',
        b'{"torn": "tex',
        b"\x1f\x8b\x08",
        b"\n\n\n",
        b"\x00",
    ],
)
def test_whatever_is_signed_is_acknowledged_and_takes_one_line(
    run: Run, policy: Callable[..., Policy], body: bytes
) -> None:
    with run(policy()) as receiver:
        assert receiver.post(body).status_code == 200
        assert len(receiver.lines()) == 1


def test_a_body_over_the_limit_is_acknowledged_and_its_beginning_kept(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    whole, longer = b"x" * 1000, b"y" * 300_000
    with run(policy(max_body=1000)) as receiver:
        assert receiver.post(whole).status_code == 200
        assert receiver.post(longer).status_code == 200
        assert receiver.post(longer + b"z", sign(longer)).status_code == 401
        first, second = (json.loads(line)["cio_receive"] for line in receiver.lines())
        page = receiver.client.get("/metrics").text
    assert base64.b64decode(first["body"]) == whole
    assert base64.b64decode(second["body"]) == longer[:1000]
    assert "300000 bytes" in second["reason"]
    assert "cio_receive_enclosed_total 2\n" in page


def test_a_body_in_chunks_is_signed_as_a_whole(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    with run(policy()) as receiver:
        pieces = iter([EVENT[:10], EVENT[10:]])
        answer = receiver.client.post("/customerio", content=pieces, headers=sign(EVENT))
        assert answer.status_code == 200
        assert receiver.lines() == [EVENT]


def test_a_body_that_does_not_arrive_is_not_waited_for_forever(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    done = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield EVENT[:10]
        done.wait(timeout=30)

    with run(policy(body_seconds=0.05)) as receiver:
        answers: list[int] = []

        def post() -> None:
            with httpx.stream(
                "POST", f"{receiver.url}/customerio", content=slowly(), headers=sign(EVENT)
            ) as answer:
                answers.append(answer.status_code)

        thread = threading.Thread(target=post)
        thread.start()
        while not receiver.counters.total("refused_body_timed_out"):
            thread.join(0.01)
        done.set()
        thread.join(30)
        assert receiver.lines() == []
    assert answers == [408]


def test_only_allowed_addresses_may_post(run: Run, policy: Callable[..., Policy]) -> None:
    others = Addresses(networks(["203.0.113.0/24"], option="x"), ())
    with run(policy(addresses=others)) as receiver:
        assert receiver.post(EVENT).status_code == 403
        assert receiver.lines() == []
        assert refused(receiver.client.get("/metrics").text) == {"address_not_allowed": 1}
        assert receiver.client.get("/healthz").status_code == 200


def test_a_trusted_proxy_names_the_address(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    behind = Addresses(
        networks(["203.0.113.0/24"], option="x"), networks(["127.0.0.1"], option="x")
    )
    with run(policy(addresses=behind)) as receiver:
        statuses = [
            receiver.post(EVENT, sign(EVENT) | {"X-Forwarded-For": hops}).status_code
            for hops in ("203.0.113.9", "198.51.100.1", "203.0.113.9, 198.51.100.1")
        ]
    assert statuses == [200, 403, 403]


def test_basic_auth_is_asked_for_beside_the_signature(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    with run(policy(authorization=basic_header(Secret("cio:pa:ss")))) as receiver:
        without = receiver.post(EVENT)
        wrong = receiver.client.post(
            "/customerio", content=EVENT, headers=sign(EVENT), auth=("cio", "pass")
        )
        right = receiver.client.post(
            "/customerio", content=EVENT, headers=sign(EVENT), auth=("cio", "pa:ss")
        )
    assert [without.status_code, wrong.status_code, right.status_code] == [401, 401, 200]
    assert without.headers["www-authenticate"].startswith("Basic")


def test_another_path_or_method_is_not_found_and_counted(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    with run(policy()) as receiver:
        assert receiver.client.post("/", content=EVENT, headers=sign(EVENT)).status_code == 404
        assert receiver.client.get("/customerio").status_code == 404
        assert refused(receiver.client.get("/metrics").text) == {"wrong_path": 2}
        assert receiver.lines() == []


def test_a_full_disk_acknowledges_nothing_and_recovers(
    run: Run, policy: Callable[..., Policy], full_disk: Callable[..., Any]
) -> None:
    with run(policy()) as receiver:
        assert receiver.post(EVENT).status_code == 200
        with full_disk(after_bytes=20):
            refusals = [receiver.post(EVENT).status_code for _ in range(3)]
            sick = receiver.client.get("/healthz").status_code
        assert refusals == [503] * 3
        assert sick == 503
        assert receiver.client.get("/healthz").status_code == 200
        assert receiver.post(EVENT.replace(b"01E1", b"01E2")).status_code == 200
        assert refused(receiver.client.get("/metrics").text) == {"spool_unavailable": 3}
        # the torn lines of the full disk are gone again
        assert [json.loads(line)["event_id"] for line in receiver.lines()] == ["01E1", "01E2"]


def test_requests_at_the_same_time_share_fsyncs(
    run: Run, policy: Callable[..., Policy], sign: Callable[..., dict[str, str]]
) -> None:
    with run(policy()) as receiver:

        def post(number: int) -> None:
            with httpx.Client(base_url=receiver.url, timeout=30) as client:
                for turn in range(10):
                    body = EVENT.replace(b"01E1", f"{number}-{turn}".encode())
                    answer = client.post("/customerio", content=body, headers=sign(body))
                    assert answer.status_code == 200

        threads = [threading.Thread(target=post, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [json.loads(line)["event_id"] for line in receiver.lines()]
        fsyncs = receiver.counters.total("fsyncs")
    assert len(ids) == len(set(ids)) == 160
    assert 0 < fsyncs < 160


def test_files_are_finished_by_size_and_at_the_end(run: Run, policy: Callable[..., Policy]) -> None:
    with run(policy(), limits=Limits(size_bytes=3 * len(EVENT))) as receiver:
        for _ in range(4):
            assert receiver.post(EVENT).status_code == 200
        assert [
            len(path.read_bytes().splitlines()) for path in finished_files(receiver.folder)
        ] == [3]
    files = finished_files(receiver.folder)
    assert [len(path.read_bytes().splitlines()) for path in files] == [3, 1]
    assert list(receiver.folder.glob("*.open")) == []
