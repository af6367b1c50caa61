"""Files of rows in a folder: local, or of any store that fsspec reaches (S3, GCS, Azure, SFTP).

Each batch is a file of its own with a manifest beside it, written after it: a file without one is
not finished, and one whose digest is not its manifest's is not whole. A batch tried again in
one run replaces its file. Rows bear their `record_key`, so that a row in two files counts once.

https://filesystem-spec.readthedocs.io/en/latest/
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.clock import milliseconds
from reverse_etl.contract import Check, Denied, Destination, Later, Limits, Object, Stop, Taken
from reverse_etl.destinations.payloads import iso_instant, read_payload
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

COLUMNS = (
    *("operation", "record_key", "identifier", "label", "occurred_at", "payload", "fingerprint"),
)
# of a size that every reader takes at once; a row of a megabyte is no row
_LIMITS = Limits(records=100_000, size=64_000_000, record_size=1_000_000)


@dataclass(frozen=True)
class FilesSettings:
    """`[reverse_etl.files]`: the folder's URL. Credentials are the store's own: see its client."""

    base_url: str = ""

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

    def missing(self, _object_name: str) -> tuple[str, ...]:
        """Nothing goes without a folder."""
        return () if self.base_url else ("base_url",)


@dataclass(frozen=True)
class RowOptions:
    """Options of rows: the path below the folder; `format` is `ndjson`, `csv` or `parquet`."""

    path: str
    format: str = "ndjson"

    def __post_init__(self) -> None:
        """Refuse an unknown format, and a path that leaves the folder."""
        if self.format not in _WRITERS:
            message = f"files: format is {self.format!r}; allowed: {', '.join(_WRITERS)}"
            raise UsageError(message)
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
        instant = None if change.occurred_ms is None else iso_instant(change.occurred_ms)
        return orjson.dumps(
            {
                "operation": change.operation,
                "record_key": change.record_key,
                "identifier": change.identifier,
                "label": change.label,
                "occurred_at": instant,
                "payload": read_payload(change),
                "fingerprint": change.fingerprint,
            }
        )

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        content = _WRITERS[self.options.format](records)
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
        return _attempt(
            lambda: _write(
                folder,
                {name: content, f"{name}.manifest.json": orjson.dumps(manifest)},
            )
        )


def _write(folder: str, files: Mapping[str, bytes]) -> None:
    """Write files in their order; a store's client is loaded only when it is needed."""
    import fsspec  # noqa: PLC0415 - 0.1 s that no other command should pay

    system, path = fsspec.core.url_to_fs(folder)
    system.makedirs(path, exist_ok=True)
    for name, content in files.items():
        system.pipe_file(f"{path}/{name}", content)


def _attempt(act: Callable[[], object]) -> Reply:
    """What an attempt came to. A store's own words may name people's files: they are not kept."""
    try:
        act()
    except PermissionError:
        return Denied(403)
    except ImportError as error:
        return Stop(f"needs the package of its store ({error.name}), which is not installed")
    except ValueError:
        return Stop("has a base_url whose kind fsspec does not know")
    except Exception as error:  # noqa: BLE001 - each store's client raises errors of its own
        return Later(f"could not write ({type(error).__name__})", is_maybe_accepted=True)
    return Taken()


def _ndjson(records: Sequence[bytes]) -> bytes:
    return b"\n".join(records) + b"\n"


def _csv(records: Sequence[bytes]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(_flat(records))
    return text.getvalue().encode()


def _parquet(records: Sequence[bytes]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - only this format needs it
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    types = {"occurred_at": pa.timestamp("ms")}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    rows = [
        row
        | {"occurred_at": row["occurred_at"] and datetime.fromisoformat(row["occurred_at"][:-1])}
        for row in _flat(records)
    ]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
    return sink.getvalue()


def _flat(records: Sequence[bytes]) -> list[dict[str, Any]]:
    """Rows whose payload is a JSON text, in a form that has no objects."""
    rows = [orjson.loads(record) for record in records]
    return [row | {"payload": orjson.dumps(row["payload"]).decode()} for row in rows]


_WRITERS: Mapping[str, Callable[[Sequence[bytes]], bytes]] = {
    "ndjson": _ndjson,
    "csv": _csv,
    "parquet": _parquet,
}


def _check(settings: FilesSettings, _http: Http) -> Check:
    """Look whether the folder is there; nothing is written."""
    import fsspec  # noqa: PLC0415 - as in `_write`

    found: list[bool] = []

    def look() -> None:
        system, path = fsspec.core.url_to_fs(settings.url)
        found.append(bool(system.exists(path)))

    match _attempt(look):
        case Taken():
            message = "is there" if found[0] else "is not there yet; the first run makes it"
            return Check(is_ok=True, message=message)
        case Denied():
            return Check(is_ok=False, message="may not be looked into")
        case Later(reason=reason) | Stop(reason=reason):
            return Check(is_ok=False, message=reason)
        case _:
            return Check(is_ok=False, message="could not be looked into")


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
