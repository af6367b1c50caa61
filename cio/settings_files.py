"""Settings files of a set-up: what is to stand in them, as a diff, and written whole or not at all.

What a user wrote stays as it is, comments and all: a key that is there keeps its value, and a new
one is put below the header of its section. What parses and prints, as dlt's own
writer does, would lose the comments.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tempfile
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import CioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SECRETS = "secrets.toml"
CONFIG = "config.toml"
_PRIVATE = 0o600
_READABLE = 0o644
_VALUE = re.compile(r'(?<== )"(?!"$).*$')


@dataclass(frozen=True)
class Entry:
    """A key that is to stand in a file.

    Attributes:
        section: Its section: `run.load.orders`.
        key: The key; none for a section that need only be there.
        value: A text or a list of texts.
        is_asked: Somebody asked for this value: one that is there and differs is not passed over.
        comment: What is said of a new section.
    """

    section: str
    key: str = ""
    value: str | tuple[str, ...] = ""
    is_asked: bool = False
    comment: str = ""

    @property
    def written(self) -> str:
        """The value as TOML."""
        # a JSON text is a TOML text, as long as letters beyond the basic plane stay as they are
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Edit:
    """A file before and after; nothing before if there was none."""

    path: Path
    before: str | None
    after: str

    @property
    def is_change(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after

    def diff(self) -> list[str]:
        """The lines that change, without those around them; texts are hidden."""
        # what stands around a change may be a secret, and so may what replaces an empty text
        lines = difflib.unified_diff(
            (self.before or "").splitlines(),
            self.after.splitlines(),
            "nothing" if self.before is None else str(self.path),
            str(self.path),
            n=0,
            lineterm="",
        )
        return list(lines)


def hide(lines: Iterable[str]) -> list[str]:
    """Lines of a diff of secrets: what is added, and of what was filled in only that it was."""
    return [_VALUE.sub('"…"', line) for line in lines if not re.match(r"-(?!-- )", line)]


def edit(path: Path, entries: Sequence[Entry], *, force: bool = False) -> Edit:
    """What a file is to become.

    Args:
        path: The file, which need not be there.
        entries: What is to stand in it.
        force: Replace values that differ from those asked for.

    Returns:
        The file before and after.

    Raises:
        UsageError: A value that is there differs from one asked for, or the file is written so that
            it cannot be added to.
    """
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    text, wanted = before or "", tomllib.loads(before or "")
    for entry in entries:
        section = _section(wanted, entry, path)
        found = section.get(entry.key)
        if not entry.key or found == _plain(entry.value):
            text = _with_section(text, entry)
            continue
        if found is not None and found != "":
            if not entry.is_asked:
                continue
            if not force:
                message = (
                    f"{entry.key} of [{entry.section}] in {path} is {found!r}, not "
                    f"{entry.written}. Nothing was changed; --force replaces it."
                )
                raise UsageError(message)
        section[entry.key] = _plain(entry.value)
        text = _with_key(text, entry, is_there=found is not None)
    _check(text, wanted, path)
    return Edit(path, before, text)


def write(edits: Sequence[Edit]) -> None:
    """Write all of them, for this user alone, or none.

    Raises:
        CioError: One cannot be written; the others are as they were.
    """
    changes = [one for one in edits if one.is_change]
    folders = [one.path.parent for one in changes if not one.path.parent.exists()]
    done: list[Edit] = []
    prepared: list[tuple[Edit, Path]] = []
    try:
        for one in changes:
            one.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            prepared.append((one, _beside(one.path.resolve(), one.after)))
        for one, temporary in prepared:
            temporary.replace(one.path.resolve())
            done.append(one)
    except BaseException as error:
        for _, temporary in prepared:
            temporary.unlink(missing_ok=True)
        for one in done:
            _put_back(one)
        for folder in folders:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            message = (
                f"cannot write {error.filename or 'the settings'}: {error.strerror}. Nothing was "
                "changed; run it where you may write."
            )
            raise CioError(message) from error
        raise


def make_private(path: Path) -> bool:
    """Take a file out of the sight of others; whether it was in it."""
    if not path.is_file() or path.stat().st_mode & 0o077 == 0:
        return False
    path.chmod(_PRIVATE)
    return True


def _section(document: dict[str, Any], entry: Entry, path: Path) -> dict[str, Any]:
    found = document
    for name in entry.section.split("."):
        found = found.setdefault(name, {})
        if not isinstance(found, dict):
            message = f"{name} in {path} is not a section: write [{entry.section}], its keys below"
            raise UsageError(message)
    return found


def _plain(value: str | tuple[str, ...]) -> str | list[str]:
    return list(value) if isinstance(value, tuple) else value


def _header(section: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*\[\s*{re.escape(section)}\s*\][ \t]*(#.*)?$", re.MULTILINE)


def _with_section(text: str, entry: Entry) -> str:
    if _header(entry.section).search(text):
        return text
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    comment = "".join(f"# {line}\n" for line in entry.comment.splitlines())
    return f"{text}{gap}{comment}[{entry.section}]\n"


def _with_key(text: str, entry: Entry, *, is_there: bool) -> str:
    text = _with_section(text, entry)
    match = _header(entry.section).search(text)
    start = match.end() if match else len(text)
    following = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, start)
    end = following.start() if following else len(text)
    body = text[start:end]
    line = f"{entry.key} = {entry.written}"
    if is_there:
        old = re.compile(rf"^[ \t]*{re.escape(entry.key)}[ \t]*=[^#\n]*?(?=[ \t]*(#.*)?$)", re.M)
        # a function, or a backslash in the value would be read
        body = old.sub(lambda _match: line, body, count=1)
    else:
        # below the section's last key, above the comment of the one that follows
        kept = re.match(r"(?s)(.*?)((?:\n[ \t]*(?:#[^\n]*)?)*)\Z", body)
        head, tail = (kept.group(1), kept.group(2)) if kept else (body, "\n")
        body = f"{head}\n{line}{tail or chr(10)}"
    return text[:start] + body + text[end:]


def _check(text: str, wanted: dict[str, Any], path: Path) -> None:
    """See that the text says what it is to say: TOML can be written in more ways than are known."""
    try:
        is_right = tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        message = (
            f"{path} is written in a way that this command does not add to (dotted keys, inline "
            "tables or values of several lines). Nothing was changed; write one [section] each, "
            "or add what is missing by hand."
        )
        raise UsageError(message)


def _beside(path: Path, text: str) -> Path:
    """A file beside another, of this user's alone, that can take its place at once."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    made = Path(name)
    if path.name != SECRETS:
        made.chmod(_READABLE)
    return made


def _put_back(one: Edit) -> None:
    path = one.path.resolve()
    if one.before is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(one.before, encoding="utf-8")
