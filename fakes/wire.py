"""What several vendors share: refusals of a whole request, Basic credentials, gzip, a store."""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from starlette.requests import Request


class Refusal(Exception):  # noqa: N818 - a reply, not a failure
    """A reply that refuses the whole request."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        """Refuse with a status and a JSON body."""
        super().__init__(status)
        self.response = reply(body, status)


class Store:
    """A file of JSON lines that outlives the stand-in, or nothing."""

    def __init__(self, path: Path | None) -> None:
        """Read what `path` holds, and add to it."""
        self._path = path

    def read(self) -> Iterator[Any]:
        """What was kept before."""
        if self._path is not None and self._path.exists():
            for line in self._path.read_bytes().splitlines():
                yield orjson.loads(line)

    def add(self, records: Iterable[Any]) -> None:
        """Keep records."""
        if self._path is None:
            return
        with self._path.open("ab") as file:
            file.writelines(orjson.dumps(record) + b"\n" for record in records)


def reply(body: object, status: int = 200) -> Response:
    """A JSON reply."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def basic(request: Request) -> tuple[str, str]:
    """User and password of Basic credentials; two empty texts without."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, secret


def unpack(request: Request, body: bytes) -> bytes | None:
    """The body without its gzip; nothing if it is encoded otherwise, or not as it says."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return body
    try:
        return gzip.decompress(body) if encoding == "gzip" else None
    except (OSError, EOFError, zlib.error):
        return None


def parse(body: bytes | None) -> Any:  # noqa: ANN401 - any JSON
    """The JSON of a body, or nothing if it is none."""
    try:
        return None if body is None else orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
