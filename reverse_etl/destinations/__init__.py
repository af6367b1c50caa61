"""The registry: one line a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.destinations.amplitude import AMPLITUDE
from reverse_etl.destinations.customerio import CUSTOMERIO
from reverse_etl.destinations.files import FILES
from reverse_etl.destinations.google import GOOGLE
from reverse_etl.destinations.klaviyo import KLAVIYO
from reverse_etl.destinations.meta import META
from reverse_etl.destinations.mixpanel import MIXPANEL
from reverse_etl.destinations.segment import SEGMENT
from reverse_etl.destinations.slack import SLACK
from reverse_etl.destinations.tiktok import TIKTOK
from reverse_etl.destinations.webhook import WEBHOOK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.contract import Destination

DESTINATIONS: Mapping[str, Destination] = {
    destination.name: destination
    for destination in (
        AMPLITUDE,
        CUSTOMERIO,
        FILES,
        GOOGLE,
        KLAVIYO,
        META,
        MIXPANEL,
        SEGMENT,
        SLACK,
        TIKTOK,
        WEBHOOK,
    )
}
