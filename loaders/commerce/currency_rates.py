"""Currency rates: what one unit of a currency is worth, from a day on.

All rates of a company are in one currency, which itself has the rate 1 or none.
"""

from __future__ import annotations

from loaders.commerce.tables import DATASET, TABLES
from loaders.row_feeds import RowFeed, Target

CURRENCY_RATES = RowFeed(
    name="currency_rates",
    dataset=DATASET,
    table="currency_rates",
    tables=TABLES,
    targets=(
        Target("currency", is_required=True),
        Target("rate", "rate", is_required=True),
        Target("valid_from", "day", is_required=True),
    ),
    key=("currency", "valid_from", "rate"),
).feed()
