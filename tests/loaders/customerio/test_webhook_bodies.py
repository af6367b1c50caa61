"""Bodies that no vendor should send: each is a record or in quarantine, and nothing vanishes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    Event = Callable[..., bytes]
    Parse = Callable[..., tuple[list[dict[str, object]], list[dict[str, object]]]]

GOOD = b'{"event_id":"good","object_type":"email","metric":"sent","timestamp":1613063089,"data":{}}'


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def with_data(data: bytes) -> bytes:
    return GOOD[:-3].replace(b'"good"', b'"odd"') + data + b"}"


ODD = {
    "invalid UTF-8": (with_data(b'{"subject":"\xff\xfe"}'), "not valid UTF-8"),
    "fifty levels": (with_data(nested(50)), None),
    "ten megabytes": (with_data(b'{"content":"' + b"x" * 10_000_000 + b'"}'), None),
    "not a number": (with_data(b'{"campaign_id":NaN}'), None),
    "infinite": (with_data(b'{"campaign_id":-Infinity}'), None),
    "a name twice": (with_data(b'{"campaign_id":1,"campaign_id":2}'), None),
    "a lone surrogate": (with_data(b'{"subject":"\\ud800"}'), "not valid JSON"),
    "an array": (b"[" + GOOD + b"]", "not a JSON object"),
    "data an array": (with_data(b"[{}]"), "data is missing or not an object"),
    "a thousand brackets": (b"[" * 1_000, "not valid JSON"),
    "a zero byte": (b"\x00" + GOOD, "not valid JSON"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_body_is_read_or_quarantined_and_its_neighbours_are_read(
    parse: Parse, name: str
) -> None:
    body, reason = ODD[name]
    records, quarantined = parse("webhooks", b"\n".join([GOOD, body, GOOD]) + b"\n")
    assert [row["source_line"] for row in records if row["event_id"] == "good"] == [1, 3]
    assert len(records) + len(quarantined) == 3
    if reason is None:
        assert [row["payload"] for row in records if row["event_id"] == "odd"] == [body.decode()]
    else:
        assert [row["original_bytes"] for row in quarantined] == [body]
        assert str(quarantined[0]["reason"]).startswith(reason)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["identifiers", "id", "recipients", "machine", "delivery_id", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
ENVELOPES = st.dictionaries(
    st.sampled_from(["event_id", "object_type", "metric", "timestamp", "data", "event_type"]),
    VALUES,
)
LINES = st.one_of(
    ENVELOPES.map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: GOOD[:-3] + json.dumps(value).encode() + b"}"),
    st.binary(max_size=60).map(lambda value: value.replace(b"\n", b"").replace(b"\r", b"")),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(LINES, max_size=40))
def test_whatever_comes_every_line_is_accounted_for(parse: Parse, lines: list[bytes]) -> None:
    whole = [b"#" + line if not line.strip() else line for line in lines]
    records, quarantined = parse("webhooks", b"".join(line + b"\n" for line in [GOOD, *whole]))
    numbers = [row["source_line"] for row in (*records, *quarantined)]
    assert sorted(numbers) == list(range(1, len(whole) + 2))
    assert "good" in {row["event_id"] for row in records}


def test_flags_are_true_false_or_not_said(parse: Parse, event: Event) -> None:
    said = {
        "yes": {"machine": True},
        "no": {"machine": False},
        "silent": {},
        "null": {"machine": None},
    }
    lines = b"".join(
        event(name, metric="clicked", data={"identifiers": {"id": "1"}, **flags})
        for name, flags in said.items()
    )
    records, _ = parse("webhooks", lines)
    assert {row["event_id"]: row["is_machine"] for row in records} == {
        "yes": True,
        "no": False,
        "silent": None,
        "null": None,
    }


def test_the_format_of_before_2020_is_known_and_its_remedy_told(parse: Parse) -> None:
    line = (
        b'{"event_type":"email_opened","event_id":"a","timestamp":1546300800,'
        b'"data":{"customer_id":"1","email_id":"5"}}'
    )
    _, quarantined = parse("webhooks", line)
    assert quarantined[0]["reason"] == (
        "the legacy format (event_type): switch this webhook to reporting webhooks"
    )
    assert quarantined[0]["original_bytes"] == line
