"""What was posted is one line, and comes out of a load as it went in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.receiver.envelope import PREFIX, enclose, open_envelopes, to_line

if TYPE_CHECKING:
    from collections.abc import Callable

    Parse = Callable[..., tuple[list[dict[str, Any]], list[dict[str, Any]]]]

EVENT = {
    "event_id": "01E1",
    "object_type": "email",
    "metric": "sent",
    "timestamp": 1613063089,
    "data": {"identifiers": {"id": "42"}, "subject": "two\nlines, and \\n"},
}


def test_an_event_on_one_line_is_kept_byte_for_byte() -> None:
    body = json.dumps(EVENT).encode()
    assert to_line(body) == body + b"\n"


@pytest.mark.parametrize("around", [b"", b"\n", b" \r\n\t"])
@pytest.mark.parametrize("breaks", [b"\n", b"\r\n", b"\r"])
def test_a_printed_event_is_loaded_as_the_same_event(
    parse: Parse, around: bytes, breaks: bytes
) -> None:
    body = around + json.dumps(EVENT, indent=2).encode().replace(b"\n", breaks) + around
    records, quarantined = parse("webhooks", to_line(body))
    assert quarantined == []
    assert json.loads(records[0]["payload"]) == EVENT
    assert records[0]["subject"] == EVENT["data"]["subject"]  # type: ignore[index]


def test_duplicate_keys_and_unpaired_surrogates_survive_the_loss_of_line_breaks() -> None:
    body = b'{"event_id": "1",\n"event_id": "2",\n"x": "\\ud800", "n": 1e2}'
    assert to_line(body) == b'{"event_id": "1", "event_id": "2", "x": "\\ud800", "n": 1e2}\n'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body is empty"),
        (b" \n ", "the body is empty"),
        (b"[1,\n2]", "not a JSON object"),
        (b"not\njson", "not valid JSON"),
        (b'{"a":\nNaN}', "not valid JSON"),
        (b'{"a": "x\ny"}', "not valid JSON"),
        (b'{"a":\n"\xff"}', "not valid UTF-8"),
        (b"\x1f\x8b\x08\x00", "not valid UTF-8"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'{"a":\n' * 2000 + b"1" + b"}" * 2000, "not valid JSON"),
    ],
)
def test_what_cannot_be_an_event_reaches_quarantine_with_its_own_bytes(
    parse: Parse, body: bytes, reason: str
) -> None:
    records, quarantined = parse("webhooks", to_line(body))
    assert records == []
    assert [(row["reason"], row["original_bytes"]) for row in quarantined] == [(reason, body)]


def test_a_posted_envelope_is_not_opened_in_its_senders_name(parse: Parse) -> None:
    forged = enclose(b"innocent", "forged").rstrip()
    _, quarantined = parse("webhooks", to_line(forged))
    assert quarantined[0]["original_bytes"] == forged
    assert quarantined[0]["reason"] == "the body looks like an envelope of the receiver"


def test_a_torn_envelope_is_quarantined_as_it_is(parse: Parse) -> None:
    torn = enclose(b"x" * 100, "why")[:60]
    assert torn.startswith(PREFIX)
    _, quarantined = parse("webhooks", torn)
    assert [row["original_bytes"] for row in quarantined] == [torn]


def test_envelopes_are_opened_among_other_bad_lines(parse: Parse) -> None:
    event = json.dumps(EVENT).encode()
    lines = [event, b"{", to_line(b"\n").rstrip(), b'{"cio_receive": 1}', event]
    records, quarantined = parse("webhooks", b"\n".join(lines) + b"\n")
    assert [row["source_line"] for row in records] == [1, 5]
    assert [(row["source_line"], row["original_bytes"]) for row in quarantined] == [
        (2, b"{"),
        (3, b"\n"),
        (4, b'{"cio_receive": 1}'),
    ]


@given(
    st.binary(max_size=200) | st.text(alphabet='{}[]":,\n\r\t 1aN\\', max_size=40).map(str.encode)
)
def test_any_body_is_one_line_that_no_reader_drops(body: bytes) -> None:
    line = to_line(body)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.startswith(b"{")
    if line.startswith(PREFIX):
        _, originals = open_envelopes(pa.array(["why"]), pa.array([line.rstrip(b"\n")]))
        assert originals.to_pylist() == [body]
    else:
        assert line.split() == body.replace(b"\r", b" ").split() or line == body + b"\n"
