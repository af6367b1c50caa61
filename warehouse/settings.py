"""The settings files: they are dlt's, and checked before dlt reads them."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

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
