from __future__ import annotations

import pytest

from warehouse.holder import describe_holder, short_name


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["/v/bin/python", "/v/bin/cio", "build", "--target", "prod"], "cio build"),
        (["python3.11", "-m", "loaders", "webhooks", "x.jsonl"], "loaders webhooks"),
        (["/v/bin/python", "/v/bin/cio", "explain", "person@example.com"], "cio explain"),
        (["/v/bin/cio", "person@example.com"], "cio"),
        (["duckdb", "/srv/secret/warehouse.duckdb"], "duckdb"),
        (["python", "-c", "print('secret')", "build"], "python"),
        (["python"], "python"),
        ([], ""),
    ],
)
def test_a_process_is_told_by_program_and_subcommand_never_by_more(
    arguments: list[str], name: str
) -> None:
    assert short_name(arguments) == name


def test_a_holder_that_cannot_be_seen_is_told_by_number_alone() -> None:
    error = OSError("Conflicting lock is held in /usr/bin/x (PID 999999999) by user me")
    assert describe_holder(error) == "PID 999999999"
    assert describe_holder(OSError("Could not set lock on file")) == "another process"
