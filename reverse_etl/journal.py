"""What a run means to send and what came of it, on disk as it happens.

A folder a run: `run.json` (what the run is), `plan.parquet` (its rows), `outcomes.ndjson`. Before
an attempt a line says which rows it carries, and is on the disk (fsync) before the first byte
leaves; after it a line says what became of them. So a run killed at any point can be read: rows of
an attempt without an outcome are unknown, rows of no attempt were not sent. Journals are kept:
`raw_reverse_etl` can be rebuilt from them.
"""

from __future__ import annotations

import os
import threading
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from reverse_etl.clock import Clock
from reverse_etl.labels import LabelCount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    from reverse_etl.contract import Outcome
    from warehouse.home import Home

_STAMP = "%Y%m%dT%H%M%S%f"


class Exceptional(NamedTuple):
    """A row whose outcome is not that of its batch."""

    row: int
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class RunRecord:
    """What a run is, in naive UTC; without `finished_at` it is under way, or was killed."""

    run_id: str
    sync: str
    destination: str
    object: str
    use: str
    mode: str
    target: str
    build_id: str
    as_of: datetime | None
    started_at: datetime
    settings_fingerprint: str
    left_out: dict[str, int]
    forced_guards: tuple[str, ...] = ()
    finished_at: datetime | None = None
    is_interrupted: bool = False
    planned: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    unknown: int = 0
    problem: str | None = None
    is_canary: bool = False
    stopped_guards: tuple[str, ...] = ()
    labels: tuple[LabelCount, ...] = ()


@dataclass(frozen=True)
class RunFolder:
    """The places of one run's journal."""

    path: Path

    @property
    def plan(self) -> Path:
        """The planned rows."""
        return self.path / "plan.parquet"

    @property
    def outcomes(self) -> Path:
        """Attempts and outcomes, one JSON object a line."""
        return self.path / "outcomes.ndjson"

    @property
    def record(self) -> Path:
        """What the run is."""
        return self.path / "run.json"

    def write_record(self, record: RunRecord) -> None:
        """Write what the run is, whole or not at all."""
        temporary = self.path / ".run.json"
        with temporary.open("wb") as file:
            file.write(orjson.dumps(asdict(record), option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.record)

    def read_record(self) -> RunRecord | None:
        """What the run is, or nothing if it never came so far: then it sent nothing either."""
        try:
            values = orjson.loads(self.record.read_bytes())
        except FileNotFoundError:
            return None
        known = {field.name for field in fields(RunRecord)}
        record = RunRecord(**{key: values[key] for key in values if key in known})
        return replace(
            record,
            as_of=_instant(values["as_of"]),
            started_at=datetime.fromisoformat(values["started_at"]),
            finished_at=_instant(values["finished_at"]),
            forced_guards=tuple(values["forced_guards"]),
            stopped_guards=tuple(values.get("stopped_guards", ())),
            labels=tuple(LabelCount(**each) for each in values.get("labels", ())),
        )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def run_folders(home: Home, sync: str | None = None) -> list[RunFolder]:
    """The journals of a sync, or of all, oldest first."""
    pattern = f"{sync or '*'}/[0-9]*"
    found = (path for path in home.journals.glob(pattern) if path.is_dir())
    return [RunFolder(path) for path in sorted(found, key=lambda path: (path.name, path.parent))]


def new_run(home: Home, sync: str, *, now: datetime) -> RunFolder:
    """Make the folder of a new run; its name sorts after those of every run before it.

    Args:
        home: The home.
        sync: The sync's name.
        now: The present; a clock that went back is put right.

    Returns:
        The folder, empty; its name is the run's id.
    """
    folders = run_folders(home, sync)
    if folders:
        last = datetime.strptime(folders[-1].path.name.partition("-")[0], _STAMP)  # noqa: DTZ007 - naive UTC, as every instant here
        now = max(now, last + timedelta(microseconds=1))
    path = home.journals / sync / f"{now.strftime(_STAMP)}-{os.urandom(3).hex()}"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.mkdir(mode=0o700)
    return RunFolder(path)


class Journal:
    """Writes a run's attempts and outcomes; safe to use from several threads."""

    def __init__(self, folder: RunFolder, clock: Clock | None = None) -> None:
        """Open the journal for appending."""
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._next = 1
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(folder.outcomes, flags, 0o600)

    def __enter__(self) -> Journal:
        """Enter; `__exit__` closes the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        os.fsync(self._file)
        os.close(self._file)

    def intend(self, rows: Sequence[int]) -> int:
        """Put on the disk which rows are about to be sent.

        Args:
            rows: The rows of one request.

        Returns:
            The number of the attempt, for `settle`.
        """
        with self._lock:
            number = self._next
            self._next += 1
            self._write({"kind": "intent", "attempt": number, "rows": ranges(rows)})
        # outside the lock: another connection's line may ride on the same flush
        os.fsync(self._file)
        return number

    def settle(
        self,
        attempt: int,
        *,
        outcome: Outcome,
        rows: Sequence[int],
        reason: str | None = None,
        exceptions: Iterable[Exceptional] = (),
    ) -> None:
        """Write what became of an attempt.

        Args:
            attempt: Its number.
            outcome: The outcome of its rows, save the exceptions.
            rows: Those rows, the exceptions not among them.
            reason: Why, unless they were accepted.
            exceptions: The rows with another outcome.
        """
        self._outcome(attempt, outcome, rows, reason, exceptions)

    def accept(self, rows: Sequence[int]) -> None:
        """Write that rows of earlier attempts, of which it was not known, were accepted."""
        self._outcome(None, "accepted", rows, None, ())

    def note(self, exceptions: Iterable[Exceptional]) -> None:
        """Write the outcomes of rows that were never attempted."""
        self._outcome(None, "skipped", (), None, exceptions)

    def rest(self, reason: str) -> None:
        """Write why every row not named so far is left."""
        with self._lock:
            self._write({"kind": "rest", "outcome": "skipped", "reason": reason})

    def _outcome(
        self,
        attempt: int | None,
        outcome: Outcome,
        rows: Sequence[int],
        reason: str | None,
        exceptions: Iterable[Exceptional],
    ) -> None:
        line = {
            "kind": "outcome",
            "attempt": attempt,
            "outcome": outcome,
            "reason": reason,
            "rows": ranges(rows),
            "exceptions": [
                {"row": row, "outcome": kind, "reason": why} for row, kind, why in exceptions
            ],
        }
        with self._lock:
            self._write(line)

    def _write(self, line: dict[str, Any]) -> None:
        line["written_at"] = self._clock.now().isoformat(timespec="microseconds")
        os.write(self._file, orjson.dumps(line) + b"\n")


def ranges(rows: Sequence[int]) -> list[list[int]]:
    """Rows as ranges, both ends included: `[1, 2, 3, 7]` is `[[1, 3], [7, 7]]`."""
    # most requests carry rows that follow each other
    if rows and list(rows) == list(range(rows[0], rows[-1] + 1)):
        return [[rows[0], rows[-1]]]
    found: list[list[int]] = []
    for row in rows:
        if found and found[-1][1] == row - 1:
            found[-1][1] = row
        else:
            found.append([row, row])
    return found
