"""Ad spend: what a campaign of an ad platform cost on a day; platforms restate their days."""

from __future__ import annotations

from loaders.commerce.tables import DATASET, TABLES
from loaders.row_feeds import RowFeed, Target

AD_SPEND = RowFeed(
    name="ad_spend",
    dataset=DATASET,
    table="ad_spend",
    tables=TABLES,
    targets=(
        Target("platform", is_required=True),
        Target("account_id"),
        Target("campaign_id"),
        Target("campaign_name"),
        Target("ad_group_id"),
        Target("ad_id"),
        Target("spent_on", "day", is_required=True),
        Target("currency"),
        Target("spend", "money", is_required=True),
        Target("impressions", "count"),
        Target("clicks", "count"),
        Target("updated_at", "instant"),
    ),
    key=("platform", "spent_on", "payload"),
    any_of=("campaign_id", "campaign_name"),
).feed()
