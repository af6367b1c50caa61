"""Raw tables of the App API: what is read from each object, and what tells two objects apart.

Fields are those of https://docs.customer.io/integrations/api/app/. Ids are text, also where JSON
has a number; what has no fixed shape (metrics, tags, attributes) stays JSON text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from loaders.bookkeeping import COUNT, FLAG, INSTANT, TEXT

if TYPE_CHECKING:
    from warehouse.raw_tables import Column

Kind = Literal["text", "instant", "count", "flag", "version", "version_instant"]

PARENTS = ("campaign_id", "broadcast_id", "newsletter_id", "segment_id")
"""What a page may be about, known from its address alone."""

SEGMENT_MEMBERSHIP = "api_segment_membership"
SEGMENT_OBSERVATIONS = "api_segment_observations"

_COLUMNS: dict[Kind, Column] = {
    "text": TEXT,
    "instant": INSTANT,
    "count": COUNT,
    "flag": FLAG,
    "version": TEXT,
    "version_instant": INSTANT,
}


@dataclass(frozen=True)
class Field:
    """A column, and the paths in the object it is read from: the first that has a value."""

    column: str
    paths: tuple[str, ...]
    kind: Kind = "text"


@dataclass(frozen=True)
class ApiTable:
    """A table of objects, appended when they are new or changed.

    Attributes:
        name: The table's name.
        items: The name the objects stand under in an answer.
        key: Columns that say which object it is; the last must have a value.
        fields: What is read from an object.
        parents: Columns known from the address.
        compared: Columns whose change makes another row.
        hidden: Names of the object that are not kept in its payload.
    """

    name: str
    items: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    parents: tuple[str, ...] = ()
    compared: tuple[str, ...] = ("payload",)
    hidden: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, Column]:
        """The columns as they are declared to dlt."""
        return {
            **dict.fromkeys(self.parents, TEXT),
            **{field.column: _COLUMNS[field.kind] for field in self.fields},
            "observed_at": INSTANT,
            "fingerprint": TEXT,
            "payload": TEXT,
        }


def _field(column: str, *paths: str, kind: Kind = "text") -> Field:
    return Field(column, paths or (column,), kind)


_CREATED = _field("created_at", "created", "created_at", kind="instant")
_UPDATED = _field("updated_at", "updated", "updated_at", kind="instant")


def _workflow(name: str, items: str, key: str) -> ApiTable:
    return ApiTable(
        name=name,
        items=items,
        key=(key,),
        fields=(
            _field(key, "id"),
            _field("name"),
            _field("type"),
            _field("state"),
            _field("is_active", "active", kind="flag"),
            _field("tags"),
            _field("event_name"),
            _field("trigger_segment_ids"),
            _field("filter_segment_ids"),
            _field("actions"),
            _CREATED,
            _UPDATED,
            _field("first_started_at", "first_started", kind="instant"),
        ),
    )


CAMPAIGNS = _workflow("api_campaigns", "campaigns", "campaign_id")
BROADCASTS = _workflow("api_broadcasts", "broadcasts", "broadcast_id")
ACTIONS = ApiTable(
    name="api_campaign_actions",
    items="actions",
    parents=("campaign_id", "broadcast_id"),
    key=("campaign_id", "broadcast_id", "action_id"),
    fields=(
        _field("action_id", "id"),
        _field("parent_action_id"),
        _field("name"),
        _field("type"),
        _field("subject"),
        _field("language"),
        _field("sending_state"),
        _CREATED,
        _UPDATED,
    ),
)
NEWSLETTERS = ApiTable(
    name="api_newsletters",
    items="newsletters",
    key=("newsletter_id",),
    fields=(
        _field("newsletter_id", "id"),
        _field("name"),
        _field("type"),
        _field("tags"),
        _field("content_ids"),
        _field("subscription_topic_id"),
        _field("recipient_segment_ids"),
        _field("sent_at", kind="instant"),
        _CREATED,
        _UPDATED,
    ),
)
NEWSLETTER_CONTENTS = ApiTable(
    name="api_newsletter_contents",
    items="contents",
    parents=("newsletter_id",),
    key=("newsletter_id", "content_id"),
    fields=(
        _field("content_id", "id"),
        _field("name"),
        _field("type"),
        _field("language"),
        _field("subject"),
    ),
)
NEWSLETTER_TEST_GROUPS = ApiTable(
    name="api_newsletter_test_groups",
    items="test_groups",
    parents=("newsletter_id",),
    key=("newsletter_id", "test_group_id"),
    # the vendor documents no more of a test group than its id
    fields=(_field("test_group_id", "id"),),
)
TRANSACTIONAL = ApiTable(
    name="api_transactional",
    items="messages",
    key=("transactional_message_id",),
    fields=(
        _field("transactional_message_id", "id"),
        _field("name"),
        _field("description"),
        _field("is_sent_to_unsubscribed", "send_to_unsubscribed", kind="flag"),
        _CREATED,
        _UPDATED,
    ),
)
SEGMENTS = ApiTable(
    name="api_segments",
    items="segments",
    key=("segment_id",),
    fields=(
        _field("segment_id", "id"),
        _field("name"),
        _field("description"),
        _field("type"),
        _field("state"),
        _field("progress", kind="count"),
        _field("tags"),
    ),
)
TOPICS = ApiTable(
    name="api_topics",
    items="topics",
    key=("topic_id",),
    fields=(
        _field("topic_id", "id"),
        _field("identifier"),
        _field("name"),
        _field("description"),
        _field("is_subscribed_by_default", "subscribed_by_default", kind="flag"),
    ),
)
MESSAGES = ApiTable(
    name="api_messages",
    items="messages",
    key=("delivery_id",),
    fields=(
        _field("delivery_id", "id"),
        _field("version", "deduplicate_id", kind="version"),
        _field("type"),
        _CREATED,
        _field("changed_at", "deduplicate_id", kind="version_instant"),
        _field("campaign_id"),
        _field("broadcast_id"),
        _field("newsletter_id"),
        _field("transactional_message_id"),
        _field("action_id"),
        _field("parent_action_id"),
        _field("content_id"),
        _field("trigger_event_id"),
        _field("message_template_id", "msg_template_id", "message_template_id"),
        _field("cio_id", "customer_identifiers.cio_id", "identifiers.cio_id"),
        _field("customer_id", "customer_identifiers.id", "identifiers.id", "customer_id"),
        _field("email", "customer_identifiers.email", "identifiers.email"),
        _field("subject"),
        _field("failure_message"),
        _field("is_forgotten", "forgotten", kind="flag"),
        _field("metrics"),
    ),
    hidden=("recipient",),
)
PEOPLE = ApiTable(
    name="api_people",
    items="customers",
    key=("cio_id",),
    fields=(
        _field("cio_id", "identifiers.cio_id"),
        _field("customer_id", "identifiers.id", "id"),
        _field("email", "identifiers.email"),
        _field("is_unsubscribed", "unsubscribed", kind="flag"),
        _field("attributes"),
    ),
    # devices and the deprecated timestamps move without anything about the person changing
    compared=("cio_id", "customer_id", "email", "is_unsubscribed", "attributes"),
)
MERGES = ApiTable(
    name="api_merges",
    items="activities",
    key=("activity_id",),
    fields=(
        _field("activity_id", "id"),
        _field("type"),
        _field("occurred_at", "timestamp", kind="instant"),
        _field("cio_id", "customer_identifiers.cio_id"),
        _field("customer_id", "customer_identifiers.id", "customer_id"),
        _field("email", "customer_identifiers.email"),
        _field("data"),
    ),
)

API_TABLES = (
    *(CAMPAIGNS, BROADCASTS, ACTIONS, NEWSLETTERS, NEWSLETTER_CONTENTS, NEWSLETTER_TEST_GROUPS),
    *(TRANSACTIONAL, SEGMENTS, TOPICS, MESSAGES, PEOPLE, MERGES),
)

TABLES: dict[str, dict[str, Column]] = {
    **{table.name: table.columns for table in API_TABLES},
    SEGMENT_MEMBERSHIP: {
        "segment_id": TEXT,
        "cio_id": TEXT,
        "customer_id": TEXT,
        "email": TEXT,
        "observed_at": INSTANT,
    },
    SEGMENT_OBSERVATIONS: {"segment_id": TEXT, "observed_at": INSTANT, "members": COUNT},
}
