from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from warehouse.namespace import schema_prefix

INSTANT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("target", "as_of", "prefix"),
    [
        ("prod", None, ""),
        ("prod", "", ""),
        ("dev", None, "dev_"),
        ("dev", "2026-01-02 03:04:05", "dev_as_of_20260102t030405_"),
        ("prod", INSTANT, "as_of_20260102t030405_"),
        ("dev", INSTANT.replace(tzinfo=None), "dev_as_of_20260102t030405_"),
        (
            "dev",
            INSTANT.astimezone(timezone(timedelta(hours=13))),
            "dev_as_of_20260102t030405_",
        ),
    ],
)
def test_prefixes_name_the_target_and_a_given_instant_in_utc(
    target: str, as_of: datetime | str | None, prefix: str
) -> None:
    assert schema_prefix(target, as_of) == prefix
