"""The settings files: they are dlt's, and checked before dlt reads them."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from warehouse.errors import UsageError

_LINE = re.compile(r"at (line \d+, column \d+|end of document)")


def check_settings() -> None:
    """See that `.dlt/config.toml` and `.dlt/secrets.toml` are valid TOML.

    dlt looks in the project (`DLT_PROJECT_DIR`, else the working directory) and in the user's
    home; its own error quotes the file, and with it secrets.

    Raises:
        UsageError: One is not; the message names file and line, never what stands there.
    """
    folders = (Path(os.environ.get("DLT_PROJECT_DIR", ".")), Path.home())
    for folder in folders:
        for name in ("config.toml", "secrets.toml"):
            path = folder / ".dlt" / name
            if path.is_file():
                _check(path)


def read_table(section: str) -> dict[str, Any]:
    """A section that is no vendor's, of the settings files that hold no secrets.

    Args:
        section: Its name: `run`.

    Returns:
        Its keys; those of the project win over those of the user's home.

    Raises:
        UsageError: A file is not valid TOML, or the section is not a table.
    """
    check_settings()
    found: dict[str, Any] = {}
    for folder in (Path.home(), Path(os.environ.get("DLT_PROJECT_DIR", "."))):
        path = folder / ".dlt" / "config.toml"
        if not path.is_file():
            continue
        table = tomllib.loads(path.read_text(encoding="utf-8")).get(section, {})
        if not isinstance(table, dict):
            message = f"{section} of {path} is not a section: write [{section}], its keys below"
            raise UsageError(message)
        found |= table
    return found


def _check(path: Path) -> None:
    place = "somewhere"
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        match = _LINE.search(str(error))
        place = match.group(1) if match else place
    except UnicodeDecodeError:
        place = "a character that is not UTF-8"
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise UsageError(message) from error
    else:
        return
    # the parser's own message may quote a secret, so it is not chained
    message = f'{path} is not valid TOML: see {place}. Texts there need quotes: key = "value".'
    raise UsageError(message) from None
