"""The one key by which a company's tools know people, for the syncs that leave it to the company.

It is set once, because a person whom one tool knows by an id and another by an address is two
people wherever the two are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from reverse_etl.credentials import SECTION, read_settings, variable
from warehouse.errors import UsageError

IDENTITY = "identity"
DEFAULT = "default"
"""What a sync says that goes by the company's key."""

# an address changes hands and spelling, an id of Customer.io's is known to no other source: the
# company's own id comes first
KEYS = ("customer_id", "email", "cio_id")


@dataclass(frozen=True)
class IdentitySettings:
    """`[reverse_etl.identity]` of `.dlt/config.toml`: the column of outbound models, `key`."""

    key: str = KEYS[0]


def read_identity() -> str:
    """The company's key: a column of the outbound models.

    Raises:
        UsageError: It is none, or a settings file cannot be read.
    """
    key = read_settings(IdentitySettings, IDENTITY).key
    if key not in KEYS:
        message = (
            f"{variable(IDENTITY, 'key')}, or key in [{SECTION}.{IDENTITY}], is {key!r}; allowed: "
            f"{', '.join(KEYS)}"
        )
        raise UsageError(message)
    return key
