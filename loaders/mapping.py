"""Which column of a file is which column of the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dlt

from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loaders.feeds import Feed


def parse_options(options: Sequence[str]) -> dict[str, str]:
    """Read `--column target=source` options.

    Raises:
        UsageError: One has no `=`, or nothing on one side of it.
    """
    mapping = {}
    for option in options:
        target, separator, source = option.partition("=")
        if not (separator and target.strip() and source.strip()):
            message = f"--column {option}: write target=source, such as order_id=id"
            raise UsageError(message)
        mapping[target.strip()] = source.strip()
    return mapping


def column_mapping(feed: Feed, options: Mapping[str, str]) -> dict[str, str]:
    """Source columns by target: of the settings, then of the options, which win.

    Args:
        feed: The feed. Its settings are the table `loaders.<feed>.columns` of
            `.dlt/config.toml`, as in `order_id = "Order number"`.
        options: The mapping given with the call.

    Returns:
        The mapping; a target that it lacks is read from the column of its own name.

    Raises:
        UsageError: A target that the feed does not have.
    """
    mapping = {**_settings(feed), **options}
    for target in mapping:
        if target not in feed.targets:
            known = ", ".join(feed.targets) or "none, for its format is fixed"
            message = f"{feed.name} has no column {target} to map; it has: {known}"
            raise UsageError(message)
    return mapping


def table_setting(feed: Feed) -> str | None:
    """The table a feed is loaded from when no file is named: `table` of `[loaders.<feed>]`.

    Raises:
        UsageError: It is not a text.
    """
    section = f"loaders.{feed.name}.table"
    table: Any = dlt.config.get(section)
    if table is None:
        return None
    if not isinstance(table, str) or not table.strip():
        message = f'[loaders.{feed.name}] table of .dlt/config.toml: write "schema.table"'
        raise UsageError(message)
    return table


def _settings(feed: Feed) -> dict[str, str]:
    section = f"loaders.{feed.name}.columns"
    table: Any = dlt.config.get(section)
    if table is None:
        return {}
    if not hasattr(table, "items"):
        message = f'[{section}] of .dlt/config.toml must be a table of target = "source"'
        raise UsageError(message)
    return {str(target): str(source) for target, source in table.items()}
