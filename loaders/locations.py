"""Where files are: a file, a folder, a pattern, or the URL of one."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import fsspec

from warehouse.errors import CioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PATTERN = frozenset("*?[")
_TAGS = ("ETag", "etag", "md5Hash", "content_md5")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "created")


@dataclass(frozen=True)
class File:
    """One file to load: its full path or URL, and what changes when its content does."""

    path: str
    fingerprint: str
    size_bytes: int


def find_files(paths: Sequence[str], *, suffixes: Sequence[str]) -> list[File]:
    """List the files that paths name, each once, in the order of the paths and then of names.

    Args:
        paths: Files, folders (searched with everything below them), patterns such as
            `events/*.jsonl.gz`, or URLs of any of these that fsspec knows, such as `s3://…`.
        suffixes: Endings of the files to take from a folder: `.jsonl`, `.jsonl.gz`.

    Returns:
        The files. A file named outright is taken whatever its ending.

    Raises:
        UsageError: A path names nothing, or its kind of URL is not known or not installed.
        CioError: A place could not be listed.
    """
    found: dict[str, File] = {}
    for path in paths:
        for file in _find(path, suffixes):
            found.setdefault(file.path, file)
    return list(found.values())


@contextmanager
def open_file(file: File) -> Iterator[BinaryIO]:
    """Open a file for reading bytes.

    Raises:
        CioError: It cannot be opened.
    """
    try:
        stream = fsspec.open(file.path, "rb").open()
    except OSError as error:
        message = f"cannot read {file.path}: {error.strerror or error}"
        raise CioError(message) from error
    with stream:
        if getattr(stream, "size", 0) is not None:
            yield cast("BinaryIO", stream)
            return
        # a web server that gives no parts: it can only be read from its start, once
        with tempfile.TemporaryFile() as whole:
            shutil.copyfileobj(stream, whole)
            whole.seek(0)
            yield cast("BinaryIO", whole)


def _find(path: str, suffixes: Sequence[str]) -> list[File]:
    filesystem, root = _filesystem(path)
    is_local = "file" in _protocols(filesystem)
    try:
        names = _names(filesystem, root, path, suffixes)
        files = [_file(filesystem, name, is_local=is_local) for name in sorted(names)]
    except UsageError:
        raise
    except FileNotFoundError as error:
        message = f"there is no file or folder {path}"
        raise UsageError(message) from error
    except Exception as error:
        # every kind of remote storage raises errors of its own
        message = f"cannot list {path}: {type(error).__name__}: {error}"
        raise CioError(message) from error
    return files


def _filesystem(path: str) -> tuple[Any, str]:
    try:
        filesystem, root = fsspec.core.url_to_fs(path)
    except ImportError as error:
        message = f"cannot read {path}: {error}"
        raise UsageError(message) from error
    except ValueError as error:
        message = f"cannot read {path}: {error}"
        raise UsageError(message) from error
    return filesystem, root


def _protocols(filesystem: Any) -> tuple[str, ...]:  # noqa: ANN401 - fsspec has no types
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _names(
    filesystem: Any,  # noqa: ANN401 - fsspec has no types
    root: str,
    path: str,
    suffixes: Sequence[str],
) -> list[str]:
    if filesystem.isfile(root):
        return [root]
    if filesystem.isdir(root):
        names = [name for name in filesystem.find(root) if _is_taken(name, root, suffixes)]
        if not names:
            endings = ", ".join(f"*{suffix}" for suffix in suffixes)
            message = f"the folder {path} has no file to load ({endings})"
            raise UsageError(message)
        return names
    if _PATTERN & set(root):
        hidden = PurePosixPath(root).name.startswith(".")
        names = [
            name
            for name in filesystem.glob(root)
            if filesystem.isfile(name) and (hidden or not PurePosixPath(name).name.startswith("."))
        ]
        if not names:
            message = f"no file matches {path}"
            raise UsageError(message)
        return names
    message = f"there is no file or folder {path}"
    raise UsageError(message)


def _is_taken(name: str, root: str, suffixes: Sequence[str]) -> bool:
    """Whether a file found in a folder is data: by its ending, and not hidden."""
    inside = PurePosixPath(name.removeprefix(root))
    return name.endswith(tuple(suffixes)) and not any(part.startswith(".") for part in inside.parts)


def _file(filesystem: Any, name: str, *, is_local: bool) -> File:  # noqa: ANN401 - no types
    if is_local:
        status = Path(name).stat()
        return File(name, f"{status.st_size}:{status.st_mtime_ns}", status.st_size)
    info = filesystem.info(name)
    size = int(info.get("size") or 0)
    tag = next((info[key] for key in _TAGS if info.get(key)), None)
    moment = next((info[key] for key in _TIMES if info.get(key)), "")
    fingerprint = str(tag).strip('"') if tag else f"{size}:{moment}"
    return File(filesystem.unstrip_protocol(name), fingerprint, size)
