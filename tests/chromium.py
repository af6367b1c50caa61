"""Pages as a browser shows them: a headless Chromium, spoken to in its own protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.sync.client import ClientConnection

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ABSENT = (
    "no Chromium is on the PATH. Install one with `make chromium` "
    "(or `sudo apt-get install --yes chromium`) and run the tests again."
)
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--disable-dev-shm-usage"),
)
_PATIENCE = 60.0


@dataclass
class Page:
    """One page in the browser.

    Attributes:
        problems: What the console, a script or a request complained of.
        requests: Addresses that the page asked for.
    """

    socket: ClientConnection
    session: str = ""
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _number: int = 0
    _seen: list[str] = field(default_factory=list)

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol and wait for its answer."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        self.socket.send(json.dumps(asked | ({"sessionId": self.session} if self.session else {})))
        while True:
            told = json.loads(self.socket.recv(timeout=_PATIENCE))
            if told.get("id") == self._number:
                assert "error" not in told, told
                answer: dict[str, Any] = told["result"]
                return answer
            self._note(told)

    def show(
        self, file: Path, *, width: int, height: int = 900, dark: bool = False, media: str = ""
    ) -> None:
        """Open a file at a width in pixels, light or dark, on the screen or as printed."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        phone = {"deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, **phone)
        self._seen.clear()
        self.call("Page.navigate", url=file.absolute().as_uri())
        while "Page.loadEventFired" not in self._seen:
            self._note(json.loads(self.socket.recv(timeout=_PATIENCE)))

    def ask(self, script: str) -> Any:  # noqa: ANN401 - whatever the page answers
        """The value of an expression of JavaScript."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def picture(self) -> bytes:
        """The whole page as PNG."""
        told = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(told["data"])

    def pdf(self) -> bytes:
        """The page as printed."""
        told = self.call("Page.printToPDF", printBackground=False)
        return base64.b64decode(told["data"])

    def _note(self, told: dict[str, Any]) -> None:
        method, parameters = told.get("method", ""), told.get("params", {})
        self._seen.append(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        is_bad = method in ("Runtime.exceptionThrown", "Network.loadingFailed")
        is_bad |= method == "Log.entryAdded" and parameters["entry"]["level"] == "error"
        is_bad |= method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert")
        if is_bad:
            self.problems.append(json.dumps(parameters)[:500])


@contextmanager
def open_page(folder: Path) -> Iterator[Page]:
    """Start a browser with a profile of its own and open an empty page; skips without a browser."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(_ABSENT)
    command = [found, *_FLAGS, "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    with subprocess.Popen(
        [*command, "about:blank"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as browser:
        try:
            with connect(_address(browser), max_size=None) as socket:
                page = Page(socket)
                target = page.call("Target.createTarget", url="about:blank")["targetId"]
                attached = page.call("Target.attachToTarget", targetId=target, flatten=True)
                page.session = attached["sessionId"]
                for domain in ("Page", "Runtime", "Log", "Network"):
                    page.call(f"{domain}.enable")
                yield page
        finally:
            browser.terminate()


def _address(browser: subprocess.Popen[str]) -> str:
    assert browser.stderr is not None
    for line in browser.stderr:
        if "DevTools listening on " in line:
            return line.split("DevTools listening on ")[1].strip()
    pytest.fail("Chromium ended before it listened")
