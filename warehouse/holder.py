"""Who holds the warehouse: the process that DuckDB names, told without its arguments."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePath

_PID = re.compile(r"\(PID (\d+)\)")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,30}")


def describe_holder(error: Exception) -> str:
    """Say which process DuckDB's lock error names, as `PID 123 (cio build)`.

    Args:
        error: The error of `duckdb.connect` on a file that another process holds.

    Returns:
        The PID and its program, or `another process` where the error names none.
    """
    match = _PID.search(str(error))
    if match is None:
        return "another process"
    pid = int(match.group(1))
    name = short_name(_arguments(pid))
    return f"PID {pid} ({name})" if name else f"PID {pid}"


def short_name(arguments: list[str]) -> str:
    """Program and first subcommand of a command line; never more of it.

    Args:
        arguments: The command line of a process.

    Returns:
        `cio build`, `dbt build`, `loaders webhooks`, `python`, or nothing.
    """
    rest = list(arguments)
    if not rest:
        return ""
    program = PurePath(rest.pop(0)).name
    if program.startswith("python") and rest:
        option = rest.pop(0)
        if option == "-m" and rest:
            program = rest.pop(0)
        elif not option.startswith("-"):
            program = PurePath(option).name
        else:
            return program
    first = rest[0] if rest and _WORD.fullmatch(rest[0]) else ""
    return f"{program} {first}".strip()


def _arguments(pid: int) -> list[str]:
    path = Path(f"/proc/{pid}/cmdline")
    try:
        return [part for part in path.read_text(errors="replace").split("\0") if part]
    except OSError:
        return _arguments_from_ps(pid)


def _arguments_from_ps(pid: int) -> list[str]:
    command = ["ps", "-o", "args=", "-p", str(pid)]
    try:
        result = subprocess.run(  # noqa: S603 - a fixed program and a number
            command, capture_output=True, text=True, check=False, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return result.stdout.split()
