"""What destinations share: instants, values, replies; and how long a module of theirs may be."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverse_etl import destinations
from reverse_etl.contract import Denied, Later, Refused, Stop, Taken
from reverse_etl.destinations.payloads import check_label, iso_instant, read_rows, read_values
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
