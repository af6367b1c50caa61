"""What the demo says of what it came to, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cio import demo_command
from cio.demo import Demo
from reverse_etl.guards import Finding, Guard
from reverse_etl.sync_run import SyncRun
from tests.cio.command import Said, cio_here

if TYPE_CHECKING:
    from pathlib import Path


def held(name: str, *guards: Guard) -> SyncRun:
    found = tuple(Finding(guard, "29 rows wanted.", frozenset(["add"])) for guard in guards)
    return SyncRun(name, "held", skipped=29, findings=found)


def said(monkeypatch: pytest.MonkeyPatch, folder: Path, *runs: SyncRun) -> Said:
    """What the command says of a demo whose syncs came to this."""
    made = Demo(
        *(100, 10, (), ()),
        runs=(SyncRun("events", "done", accepted=5), *runs),
        report=folder / "report.html",
    )
    monkeypatch.setattr(demo_command, "run_demo", lambda *_, **__: made)
    return cio_here("demo", "--folder", str(folder))


def test_a_list_too_small_for_its_platform_is_told_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ended = said(monkeypatch, tmp_path, held("meta_lookalike_seed", "size"))
    assert ended.exit_code == 0
    told = " ".join(ended.out.split())
    assert "meta_lookalike_seed was held by its guard" in told
    assert "29 rows wanted. A larger world fills it: `--people 6000`" in told


@pytest.mark.parametrize(
    "run",
    [
        held("seed", "size", "staleness"),
        held("seed", "identity"),
        SyncRun("seed", "failed"),
        SyncRun("seed", "interrupted"),
    ],
)
def test_whatever_else_hinders_a_sync_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: SyncRun
) -> None:
    ended = said(monkeypatch, tmp_path, held("small", "size"), run)
    assert ended.exit_code == 1
