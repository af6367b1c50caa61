"""What runs did, as JSON lines that hold nothing personal, and the last one for whoever asks."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from warehouse.home import Home

MAX_BYTES = 5_000_000
FILES = 5

_ADDRESS = re.compile(r"[^\s'\"<>:,;=()]+@[^\s'\"<>:,;=()]+")
# a phone number: eight digits or more, with what people write between them; not an instant
_NUMBER = re.compile(r"(?<![\w-])\+?\(?\d[\d ()./-]{6,}\d(?![\w:])")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d|\d{8}T")
_QUERY = re.compile(r"(https?://)[^\s'\"]+")
_QUOTED = re.compile(r"(?i)(could not convert \w+ |value )(['\"]).*?\2")


def scrub(text: str) -> str:
    """A text without what may be personal or secret: addresses, long numbers, quoted values.

    dbt and DuckDB quote the value that a cast or a test failed on.
    """
    text = _QUOTED.sub(r"\1'…'", text)
    text = _QUERY.sub(r"\1…", _ADDRESS.sub("…", text))
    return _NUMBER.sub(lambda m: m[0] if _INSTANT.match(m[0]) else "…", text)


@dataclass(frozen=True)
class RunLog:
    """The log of a home: `logs/run.jsonl`, rotated at 5 MB, five old files kept."""

    folder: Path

    @classmethod
    def of(cls, home: Home) -> RunLog:
        """The log of a home, its folder made for this user alone."""
        folder = home.root / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
        return cls(folder)

    @property
    def path(self) -> Path:
        """The file being written."""
        return self.folder / "run.jsonl"

    @property
    def last(self) -> Path:
        """What the newest run came to."""
        return self.folder / "last_run.json"

    def write(self, line: Mapping[str, Any]) -> None:
        """Append one line, and see that it is on its way before anything else happens."""
        text = orjson.dumps(dict(line)).decode()
        handler = RotatingFileHandler(
            self.path, maxBytes=MAX_BYTES, backupCount=FILES, encoding="utf-8"
        )
        try:
            self.path.chmod(0o600)
            if handler.stream.tell() + len(text) > MAX_BYTES:
                handler.doRollover()
            handler.stream.write(text + "\n")
        finally:
            handler.close()

    def write_last(self, result: Mapping[str, Any]) -> None:
        """Keep what the newest run came to, whole or not at all."""
        temporary = self.folder / ".last_run.json"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(dict(result), option=orjson.OPT_INDENT_2))
        temporary.replace(self.last)

    def read_last(self) -> dict[str, Any] | None:
        """What the newest run came to, if one ended."""
        try:
            found = orjson.loads(self.last.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        return found if isinstance(found, dict) else None
