"""Files of rows in a folder: local, or of any store that fsspec reaches (S3, GCS, Azure, SFTP).

Each batch is a file of its own with a manifest beside it, written after it: a file without one is
not finished, and one whose digest is not its manifest's is not whole. A batch tried again in
one run replaces its file. Rows bear their `record_key`, so that a row in two files counts once.

https://filesystem-spec.readthedocs.io/en/latest/
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from reverse_etl.clock import milliseconds
from reverse_etl.contract import Check, Destination, Limits, Object
from reverse_etl.destinations.file_formats import COLUMNS, WRITERS
from reverse_etl.destinations.file_store import exists, write
from reverse_etl.destinations.payloads import describe, iso_instant, read_payload
from reverse_etl.destinations.replies import failed
from reverse_etl.destinations.settings_rules import needs, require_one_of
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

# of a size that every reader takes at once; a row of a megabyte is no row
_LIMITS = Limits(records=100_000, size=64_000_000, record_size=1_000_000)


@dataclass(frozen=True)
class FilesSettings:
    """`[reverse_etl.files]`: the folder's URL. Credentials are the store's own: see its client."""

    base_url: str = ""

    missing = needs("base_url")

    def __post_init__(self) -> None:
        """Refuse what is no URL: a relative path would depend on where the run started."""
        if self.base_url and "://" not in self.base_url:
            message = (
                f"files: base_url is {self.base_url!r}; give a URL, such as file:///srv/exports "
                "or s3://bucket/folder"
            )
            raise UsageError(message)

    @property
    def url(self) -> str:
        """The folder."""
        return self.base_url

    @property
    def account(self) -> str:
        """The folder is all that tells one from another."""
        return ""


@dataclass(frozen=True)
class RowOptions:
    """Options of rows: the path below the folder; `format` is `ndjson`, `csv` or `parquet`."""

    path: str
    format: str = "ndjson"

    def __post_init__(self) -> None:
        """Refuse an unknown format, and a path that leaves the folder."""
        require_one_of("files", "format", self.format, WRITERS)
        if not self.path.strip("/") or ".." in self.path.split("/"):
            message = f"files: path is {self.path!r}; give a folder below base_url"
            raise UsageError(message)


@dataclass(frozen=True)
class _Rows:
    settings: FilesSettings
    options: RowOptions
    started: str
    limits: Limits = _LIMITS
    parts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: FilesSettings, options: RowOptions, http: Http) -> _Rows:
        # every file of a run bears the moment at which it began, so that names sort by run
        moment = iso_instant(milliseconds(http.clock.now()))
        return cls(settings, options, moment.replace("-", "").replace(":", "").replace(".", ""))

    def route(self, _change: Change) -> str:
        return self.options.path.strip("/")

    def encode(self, change: Change) -> bytes:
        row = describe(change)
        row["payload"] = read_payload(change)
        row["fingerprint"] = change.fingerprint
        return orjson.dumps(row)

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        content = WRITERS[self.options.format](records)
        digest = hashlib.sha256(content).hexdigest()
        number = self.parts.setdefault(digest, len(self.parts) + 1)
        name = f"{self.started}-{number:05d}-{digest[:8]}.{self.options.format}"
        manifest = {
            "file": name,
            "format": self.options.format,
            "rows": len(records),
            "bytes": len(content),
            "sha256": digest,
            "columns": COLUMNS,
            "run_started_at": self.started,
        }
        folder = f"{self.settings.url.rstrip('/')}/{route}"
        return write(folder, {name: content, f"{name}.manifest.json": orjson.dumps(manifest)})


def _check(settings: FilesSettings, _http: Http) -> Check:
    """Look whether the folder is there; nothing is written."""
    found = exists(settings.url)
    if not isinstance(found, bool):
        return failed(found, "may not be looked into")
    message = "is there" if found else "is not there yet; the first run makes it"
    return Check(is_ok=True, message=message)


FILES = Destination(
    name="files",
    documentation="https://filesystem-spec.readthedocs.io/en/latest/",
    settings=FilesSettings,
    objects={
        # readers keep rows by record_key
        "rows": Object(frozenset(["append", "mirror", "upsert"]), RowOptions, _Rows.open),
    },
    check=_check,
)
