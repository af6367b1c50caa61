"""What destinations share: instants, values, replies; and how long a module of theirs may be."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverse_etl import destinations
from reverse_etl.contract import Denied, Later, Refused, Stop, Taken
from reverse_etl.destinations.payloads import (
    as_it_is,
    check_label,
    is_nested,
    iso_instant,
    read_payload,
    read_rows,
    read_values,
    with_own,
)
from reverse_etl.destinations.replies import UNREADABLE, failed, read_object, unsent
from reverse_etl.http import Answer

from .changes import EVENT

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as every instant
MILLISECOND = timedelta(milliseconds=1)
EARLIEST = (datetime.min - EPOCH) // MILLISECOND  # noqa: DTZ901 - as above
LATEST = (datetime.max - EPOCH) // MILLISECOND  # noqa: DTZ901 - as above


@given(st.integers(EARLIEST, LATEST))
def test_an_instant_is_written_as_datetime_writes_it(milliseconds: int) -> None:
    instant = EPOCH + milliseconds * MILLISECOND
    assert iso_instant(milliseconds) == instant.isoformat(timespec="milliseconds") + "Z"


@pytest.mark.parametrize("milliseconds", [EARLIEST - 1, LATEST + 1, 99**12])
def test_an_instant_beyond_the_years_of_four_digits_is_refused(milliseconds: int) -> None:
    with pytest.raises(Refused, match="beyond the year 9999"):
        iso_instant(milliseconds)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
NAMES = st.sampled_from(["time", "ip", "a", "é", ""])


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(NAMES, VALUES), st.none() | st.integers(0, 2), st.booleans())
def test_a_payload_goes_out_as_it_is_with_what_is_the_events_own(
    payload: dict[str, Any],
    indent: int | None,
    is_ascii: bool,  # noqa: FBT001 - from hypothesis
) -> None:
    text = json.dumps(payload, indent=indent, ensure_ascii=is_ascii) + " " * is_ascii
    row = EVENT._replace(payload=text)
    own = {"time": 7, "ip": "0"}
    assert orjson.loads(with_own(row, read_payload(row), own)) == payload | own
    assert orjson.loads(orjson.dumps({"properties": as_it_is(row)})) == {"properties": payload}
    if any(isinstance(value, dict | list) for value in payload.values()):
        assert is_nested(row)


def test_a_null_is_no_value_and_a_payload_of_nulls_has_none() -> None:
    assert read_values(EVENT._replace(payload='{"a":0,"b":null,"c":""}')) == {"a": 0, "c": ""}
    with pytest.raises(Refused, match="no trait has a value"):
        read_values(EVENT._replace(payload='{"a":null}'), one="trait")


@pytest.mark.parametrize("payload", ["{}", '{"rows":[]}', '{"rows":[7]}', '{"rows":{"a":1}}'])
def test_a_payload_without_rows_is_no_table(payload: str) -> None:
    with pytest.raises(Refused, match="no rows"):
        read_rows(EVENT._replace(payload=payload))


@pytest.mark.parametrize("label", ["", " ", "\t"])
def test_a_member_of_no_audience_is_refused(label: str) -> None:
    with pytest.raises(Refused, match="without a label"):
        check_label(EVENT._replace(label=label))


def test_a_request_that_carried_no_row_leaves_none_in_doubt() -> None:
    assert unsent(Answer(200, {}, b"<html>")) == Later(UNREADABLE.reason, is_maybe_accepted=False)
    lost = Later("no whole reply", is_maybe_accepted=True, wait_seconds=7.0)
    assert unsent(lost) == Later("no whole reply", is_maybe_accepted=False, wait_seconds=7.0)
    assert unsent(Denied(401)) == Denied(401)


def test_what_is_no_object_is_told_from_an_empty_one() -> None:
    replies = [Answer(200, {}, body) for body in (b"{}", b"[]", b"<html>")]
    assert [read_object(reply) for reply in (*replies, Stop("no"))] == [{}, None, None, None]


def test_a_check_that_failed_says_why() -> None:
    assert failed(Stop("answered 404"), "refuses the key").message == "answered 404"
    assert failed(Denied(403), "refuses the key", "is another").message == "refuses the key"
    assert failed(Taken(), "refuses the key", "is another").message == "is another"
    assert not failed(Taken(), "refuses the key").is_ok


def test_a_module_of_a_destination_has_one_subject() -> None:
    folder = Path(str(destinations.__file__)).parent
    lines = {path.name: path.read_text("utf-8").count("\n") for path in folder.glob("*.py")}
    assert {name: count for name, count in lines.items() if count > 180} == {}
