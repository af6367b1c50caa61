"""A strict stand-in of Slack's incoming webhooks: one webhook, and the messages it took.

Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/ and
https://docs.slack.dev/reference/block-kit/blocks. A reply is a word in plain text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from fakes.control import Control
from fakes.wire import Store, parse, reply

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

PATH = "/services/T0FAKE/B0FAKE/fakeSlackWebhook"
MOST_BLOCKS = 50
_MOST = {"header": ("plain_text", 150), "section": ("mrkdwn", 3_000)}


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {"webhook_url": f"{address}{PATH}"}


def create_app(*, store: Path | None = None, is_archived: bool = False) -> Control:
    """The stand-in as an ASGI app.

    Args:
        store: A file that keeps what was accepted over a restart.
        is_archived: Whether the webhook's channel is.

    Returns:
        The app, with one webhook and the control endpoints under `/_fake/`.
    """
    vendor = _Slack(Store(store), is_archived=is_archived)
    control = Control()
    control.serve(vendor.routes())
    return control


class _Slack:
    def __init__(self, store: Store, *, is_archived: bool) -> None:
        self.store = store
        self.is_archived = is_archived
        self.messages: list[Any] = list(store.read())

    def routes(self) -> list[Route]:
        return [
            Route("/services/{rest:path}", self.post, methods=["POST"]),
            Route("/_fake/messages", self.show),
        ]

    async def post(self, request: Request) -> Response:
        if request.url.path != PATH:
            return PlainTextResponse("no_service", 404)
        if self.is_archived:
            return PlainTextResponse("channel_is_archived", 410)
        message = parse(await request.body())
        problem = _problem(message)
        if problem is not None:
            return PlainTextResponse(problem, 400)
        self.messages.append(message)
        self.store.add([message])
        return PlainTextResponse("ok")

    async def show(self, _request: Request) -> Response:
        return reply(self.messages)


def _problem(message: Any) -> str | None:  # noqa: ANN401 - any JSON
    """The word that says what is wrong with a message."""
    if not isinstance(message, dict):
        return "invalid_payload"
    blocks = message.get("blocks", [])
    if not isinstance(blocks, list) or len(blocks) > MOST_BLOCKS or not all(map(_is_good, blocks)):
        return "invalid_blocks"
    has_text = isinstance(message.get("text"), str) and message["text"]
    return None if has_text or blocks else "no_text"


def _is_good(block: Any) -> bool:  # noqa: ANN401 - any JSON
    kind = block.get("type") if isinstance(block, dict) else None
    text = block.get("text") if isinstance(block, dict) else None
    if kind not in _MOST or not isinstance(text, dict):
        return False
    expected, most = _MOST[kind]
    found = text.get("text")
    return text.get("type") == expected and isinstance(found, str) and 0 < len(found) <= most
