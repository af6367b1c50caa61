"""People: a row is a profile as it stood; columns that fill no target become `attributes`."""

from __future__ import annotations

from loaders.feeds import OptOuts, Preferences
from loaders.people.tables import DATASET, TABLES
from loaders.preferences import ATTRIBUTE
from loaders.row_feeds import RowFeed, Target

PEOPLE = RowFeed(
    name="people",
    dataset=DATASET,
    table="people",
    tables=TABLES,
    targets=(
        Target("customer_id"),
        Target("email"),
        Target("cio_id"),
        Target("phone"),
        Target("first_name"),
        Target("last_name"),
        Target("created_at", "instant"),
        Target("updated_at", "instant"),
        Target("is_unsubscribed", "flag"),
    ),
    key=("payload",),
    any_of=("customer_id", "email", "cio_id"),
    keeps_others=True,
    opt_outs=OptOuts(
        "people",
        "is_unsubscribed",
        (True,),
        Preferences("attributes", "attributes", (ATTRIBUTE,)),
    ),
).feed()
