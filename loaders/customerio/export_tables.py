"""Raw tables of the Data Warehouse exports: what each kind of parquet file holds, and its key.

Files and their purpose: https://docs.customer.io/integrations/data-out/data-warehouses/. Columns
are those of both generations of files that are in use: newer ones add the flags and the inbox to
metrics, and campaigns and broadcasts. Ids are text here, whatever type a file gives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loaders.bookkeeping import COUNT, FLAG, INSTANT, TEXT

if TYPE_CHECKING:
    from warehouse.raw_tables import Column

EXTRA = "extra"
"""What a file has that is not declared here, by column, as JSON."""

_RENAMED = {"from": "from_address", "type": "object_type", "timestamp": "changed_at"}
"""Columns of files that are words of SQL or say too little."""

_PLACE: dict[str, Column] = {
    EXTRA: TEXT,
    "schema_version": COUNT,
    "file_sequence": COUNT,
    "source_file": TEXT,
    "source_row": COUNT,
}


@dataclass(frozen=True)
class ExportTable:
    """One kind of file.

    Attributes:
        name: The table.
        key: Columns of the table without which a row says nothing.
        sources: The file's column that each declared column is read from.
        columns: The declared columns, `extra` and the place of the row included.
        batch_rows: How many rows to hold at a time; contents of messages are long.
    """

    name: str
    key: tuple[str, ...]
    sources: dict[str, str]
    columns: dict[str, Column]
    batch_rows: int = 50_000


def _table(name: str, key: str, typed: str, *, batch_rows: int = 50_000) -> ExportTable:
    """A table from words: `created_at:instant` is an instant, a bare word is text."""
    kinds = {"": TEXT, "instant": INSTANT, "count": COUNT, "flag": FLAG}
    sources, columns = {}, {}
    for word in typed.split():
        source, _, kind = word.partition(":")
        column = _RENAMED.get(source, source)
        sources[column] = source
        columns[column] = kinds[kind]
    return ExportTable(
        f"export_{name}", tuple(key.split()), sources, {**columns, **_PLACE}, batch_rows
    )


EXPORT_TABLES: dict[str, ExportTable] = {
    "deliveries": _table(
        "deliveries",
        "delivery_id",
        "workspace_id delivery_id internal_customer_id subject_id event_id delivery_type "
        "campaign_id action_id newsletter_id content_id trigger_id transactional_message_id "
        "created_at:instant seq_num:count",
    ),
    "delivery_content": _table(
        "delivery_content",
        "delivery_id",
        "workspace_id delivery_id campaign_id action_id newsletter_id content_id type from "
        "reply_to bcc recipient subject preheader body body_plain body_amp url method headers",
        batch_rows=2_000,
    ),
    "metrics": _table(
        "metrics",
        "event_id delivery_id metric created_at",
        "workspace_id event_id delivery_id metric reason link_id link_url created_at:instant "
        "seq_num:count proxied:flag prefetched:flag machine:flag user_agent email_client "
        "inbox_domain inbox_provider mx_host",
    ),
    "outputs": _table(
        "outputs",
        "output_id",
        "workspace_id output_id subject_name output_type action_id explanation delivery_id "
        "draft:flag link_tracked:flag split_test_index:count delay_ends_at:instant "
        "branch_index:count manual_segment_id add_to_manual_segment:flag created_at:instant "
        "seq_num:count",
    ),
    "subjects": _table(
        "subjects",
        "subject_name",
        "workspace_id subject_name internal_customer_id campaign_type campaign_id event_id "
        "trigger_id started_campaign_at:instant created_at:instant seq_num:count",
    ),
    "people": _table(
        "people",
        "internal_customer_id",
        "workspace_id internal_customer_id customer_id email_addr deleted:flag suppressed:flag "
        "created_at:instant updated_at:instant",
    ),
    "attributes": _table(
        "attributes",
        "internal_customer_id attribute_name",
        "workspace_id internal_customer_id attribute_name attribute_value timestamp:instant",
    ),
    "campaigns": _table(
        "campaigns",
        "campaign_id",
        "workspace_id campaign_id name version:count topic_names created_at:instant "
        "updated_at:instant",
    ),
    "broadcasts": _table(
        "broadcasts",
        "broadcast_id",
        "workspace_id broadcast_id name topic_names created_at:instant updated_at:instant",
    ),
}
"""The tables by the kind of file they are read from."""

KIND_SPELLINGS = {"delivery_contents": "delivery_content"}

TABLES: dict[str, dict[str, Column]] = {
    table.name: table.columns for table in EXPORT_TABLES.values()
}
