"""Draws the pictures of the terminal: what commands print of the demo's world, as SVG.

    python docs/pictures/draw_terminal.py ROOM demo plan doctor verify

ROOM is the demo's room, `data/demo`, which has been made by `cio demo`; `demo` runs it there again.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from rich.console import Console

from cio import terminal
from cio.demo import VENDORS
from cio.main import app
from reverse_etl.credentials import variable
from warehouse.home import PROJECT_FILE, project_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PICTURES = Path(__file__).parent
COLUMNS = 120
PLANNED = (
    "customerio_people",
    "meta_retargeted_members",
    "meta_suppressed_members",
    "mixpanel_audience_members",
    "segment_message_events",
)
SENT = ("mixpanel_message_events", "segment_message_events", "mixpanel_audience_members")


class Picture(NamedTuple):
    """One command as it is typed, and what of it is run to be drawn."""

    typed: str
    words: tuple[str, ...]
    is_delivered: bool = True


def _selected(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for name in names for word in ("--select", name))


def pictures(room: Path) -> dict[str, Picture]:
    """The pictures by name."""
    return {
        "demo": Picture("cio demo", ("demo", "--folder", str(room))),
        "plan": Picture(
            "cio sync plan --select …", ("sync", "plan", *_selected(PLANNED)), is_delivered=False
        ),
        "doctor": Picture("cio doctor", ("doctor",)),
        "verify": Picture("cio verify --select …", ("verify", *_selected(SENT))),
    }


def draw(room: Path, name: str) -> Path:
    """Run a command on the room and draw what it prints.

    Args:
        room: The demo's room.
        name: The picture.

    Returns:
        The SVG.
    """
    picture = pictures(room)[name]
    recorder = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    with (
        _place(room, is_delivered=picture.is_delivered) as environment,
        patch.dict(os.environ, environment),
        _recording(recorder, room),
    ):
        app(list(picture.words), standalone_mode=False)
    target = PICTURES / f"{name}.svg"
    recorder.print()  # or the tails of the last line's letters are cut off
    drawn = recorder.export_svg(title=picture.typed, unique_id=f"cio-{name}")
    # rich names a font on the network: whoever reads this has a monospaced one
    target.write_text(re.sub(r"(?s)@font-face \{.*?\}\s*", "", drawn), encoding="utf-8")
    return target


@contextmanager
def _recording(recorder: Console, room: Path) -> Iterator[None]:
    """Let whatever the commands print come to the recorder: they share one console."""
    shared = terminal.out
    with patch.object(shared, "print", _plain(recorder.print, room)):
        yield


def _plain(method: Any, room: Path) -> Any:  # noqa: ANN401 - a method of rich's
    """The method as the commands' own console has it, with long lines broken: a picture ends."""

    def printing(*things: object, **options: Any) -> None:  # noqa: ANN401 - rich's own
        # the room is where it would be for the reader
        shown = [
            one.replace(str(room), "data/demo") if isinstance(one, str) else one for one in things
        ]
        method(*shown, **{"markup": False, "highlight": False} | options | {"soft_wrap": False})

    return printing


@contextmanager
def _place(room: Path, *, is_delivered: bool) -> Iterator[Mapping[str, str]]:
    """The environment of a room; one that was never delivered has its build and no receipts."""
    found = {"CIO_COMPANY": "fakes/company"}
    for name, vendor in VENDORS.items():
        port = room / "fakes" / f"{name}.port"
        if port.is_file():
            address = f"http://127.0.0.1:{port.read_text(encoding='utf-8')}"
            settings = vendor.settings(address)
            found |= {variable(name, key): value for key, value in settings.items()}
    if is_delivered:
        yield found | {"CIO_HOME": str(room)}
        return
    with tempfile.TemporaryDirectory() as fresh:
        for part in ("published", "target"):
            (Path(fresh) / part).symlink_to(room / part)
        yield found | {"CIO_HOME": fresh}


if __name__ == "__main__":
    os.chdir(project_root())
    assert Path(PROJECT_FILE).is_file()  # noqa: S101 - a script of our own
    for wanted in sys.argv[2:]:
        drawn = draw(Path(sys.argv[1]).resolve(), wanted)
        terminal.out.print(f"picture: {drawn}")
