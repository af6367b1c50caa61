"""Where syncs send: a destination's settings found, and whether they suffice."""

from __future__ import annotations

from dataclasses import field, make_dataclass
from typing import TYPE_CHECKING

from reverse_etl.credentials import SECRETS_FILE, SECTION, read_settings, variable
from reverse_etl.destinations import DESTINATIONS
from reverse_etl.scope import Target
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from reverse_etl.settings import Sync

BUDGETS = "monthly_rows"


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
    budget = read_budget(destination.name)
    missing = settings.missing(sync.object)
    if not missing:
        return Target(destination, settings, sync.object, monthly_rows=budget)
    names = " and ".join(variable(destination.name, key) for key in missing)
    reason = (
        f"no credentials: set {names}, or {' and '.join(missing)} in "
        f"[{SECTION}.{destination.name}] of {SECRETS_FILE}"
    )
    return Target(destination, settings, sync.object, inactive=reason, monthly_rows=budget)


def read_budget(destination: str) -> int | None:
    """Most rows a month that a destination is to be sent, over all of its syncs.

    `[reverse_etl.monthly_rows]` of `.dlt/config.toml` has a key a destination; or the environment
    variable `REVERSE_ETL__MONTHLY_ROWS__MIXPANEL`.

    Raises:
        UsageError: It is not a whole number above 0.
    """
    declared = make_dataclass(
        "MonthlyRows", [(name, str, field(default="")) for name in DESTINATIONS], frozen=True
    )
    text = str(getattr(read_settings(declared, BUDGETS), destination))
    if not text:
        return None
    digits = text.replace("_", "")
    if not digits.isdecimal() or int(digits) == 0:
        message = (
            f"{variable(BUDGETS, destination)}, or {destination} in [{SECTION}.{BUDGETS}], must be "
            f"a whole number of rows above 0, not {text!r}"
        )
        raise UsageError(message)
    return int(digits)
