"""Files behind a web server, one that gives parts of a file and one that does not."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import parquet

from loaders.run import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from warehouse.home import Home

    Event = Callable[..., bytes]
    Select = Callable[[str], list[tuple[object, ...]]]


class Whole(SimpleHTTPRequestHandler):
    """Gives whole files alone."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Parts(Whole):
    """Gives the part of a file that is asked for."""

    def end_headers(self) -> None:
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        if asked is None:
            super().do_GET()
            return
        with open(self.translate_path(self.path), "rb") as file:  # noqa: PTH123 - a text path
            content = file.read()
        first, _, last = asked.removeprefix("bytes=").partition("-")
        end = min(int(last or len(content) - 1), len(content) - 1)
        part = content[int(first) : end + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{end}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)


@pytest.fixture(params=[Whole, Parts])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(request.param, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_lines_and_parquet_are_read_from_the_web(
    home: Home, served: tuple[Path, str], event: Event, select: Select
) -> None:
    folder, url = served
    (folder / "events.jsonl").write_bytes(event("a") + event("b"))
    name = "deliveries_v4_1_2.parquet"
    parquet.write_table(pa.table({"delivery_id": ["d1", "d2"]}), folder / name)
    assert load(home, "webhooks", [f"{url}/events.jsonl"]).loaded == 2
    assert load(home, "exports", [f"{url}/{name}"]).loaded == 2
    assert select("select distinct source_file from raw_customerio.export_deliveries") == [
        (f"{url}/{name}",)
    ]
    assert load(home, "exports", [f"{url}/{name}"]).files_skipped == 1
