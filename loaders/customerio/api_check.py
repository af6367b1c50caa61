"""Tries the key of Customer.io's App API with one small request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loaders.customerio.api_client import ApiClient, ApiRefused

if TYPE_CHECKING:
    from loaders.customerio.api_pace import Timing
    from loaders.customerio.api_settings import ApiSettings

_SMALLEST = "activities"


def check_api(settings: ApiSettings, timing: Timing | None = None) -> None:
    """Ask for one activity: the smallest answer that needs a key.

    Args:
        settings: Address and key.
        timing: What tells the time.

    Raises:
        ApiKeyRejected: The key or the region is wrong.
        ApiUnavailable: It did not answer.
        ApiRefused: It answered as no App API does.
    """
    with ApiClient(settings, timing, attempts=1) as client:
        answer = client.get(_SMALLEST, {"limit": 1})
    if answer is None or _SMALLEST not in answer.document:
        message = (
            "what answers is not Customer.io's App API: leave base_url of [loaders.customerio] out"
        )
        raise ApiRefused(message)
