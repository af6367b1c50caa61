"""Names of schemas: the Python twin of the macro that names dbt's."""

from __future__ import annotations

from datetime import UTC, datetime

STAGING = "staging"
INTERMEDIATE = "intermediate"
LAYERS = (STAGING, INTERMEDIATE, "marts", "audiences", "outbound", "operations", "seeds")


def schema_prefix(target: str, as_of: datetime | str | None = None) -> str:
    """What precedes a layer's name: nothing in prod, `dev_`, `dev_as_of_20260102t030405_`.

    Args:
        target: The name of the dbt target.
        as_of: The variable `as_of` if it was given, naive or aware, or its ISO 8601 text.

    Returns:
        The prefix, ending in an underscore unless it is empty.
    """
    prefix = "" if target == "prod" else f"{target}_"
    if as_of is None or as_of == "":
        return prefix
    instant = datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    if instant.tzinfo is not None:
        instant = instant.astimezone(UTC)
    return f"{prefix}as_of_{instant:%Y%m%dt%H%M%S}_"
