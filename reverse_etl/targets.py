"""Where syncs send: a destination's settings found, and whether they suffice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.credentials import SECRETS_FILE, SECTION, read_settings, variable
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.plan import Target

if TYPE_CHECKING:
    from reverse_etl.settings import Sync


def find_target(sync: Sync) -> Target:
    """Where a sync sends.

    Args:
        sync: The sync.

    Returns:
        The target; inactive, with the reason in words, if its credentials are not configured.

    Raises:
        UsageError: What is configured is wrong.
    """
    destination = DESTINATIONS[sync.destination]
    settings = read_settings(destination.settings, destination.name)
    missing = settings.missing(sync.object)
    if not missing:
        return Target(destination, settings, sync.object)
    names = " and ".join(variable(destination.name, key) for key in missing)
    reason = (
        f"no credentials: set {names}, or {' and '.join(missing)} in "
        f"[{SECTION}.{destination.name}] of {SECRETS_FILE}"
    )
    return Target(destination, settings, sync.object, inactive=reason)
