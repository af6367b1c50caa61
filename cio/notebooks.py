"""What notebooks share: a published build to read, and tables and figures as HTML.

A notebook reads the file that was newest when it was opened, attached read-only: it holds no lock
on the warehouse, is in nobody's way, and shows one build from its first cell to its last.
"""

from __future__ import annotations

import html
import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cio.charts.drawing import STYLE
from cio.report.facts import LAYERS, rows, search
from warehouse.connection import Published, read_published
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cio.report.facts import Rows

NOTEBOOKS = {
    "holdout_readout": "What an experiment's messages caused",
    "fatigue": "How much people receive, and what it does to them",
    "audience_explorer": "Who is in which audience, and why",
    "campaign_performance": "What became of messages, by what people clicked",
    "sync_health": "What reached other tools, and how fast",
}

_TABLE_STYLE = """
.scroll { overflow-x: auto; }
.scroll table { border-collapse: collapse; font-size: .93rem; }
.scroll th, .scroll td { text-align: left; padding: .35rem .9rem .35rem 0; vertical-align: top; }
.scroll th, .scroll td { border-bottom: 1px solid #8a8f9855; }
.scroll td.long { min-width: 18rem; }
.scroll td.n, .scroll th.n { white-space: nowrap; text-align: right; }
details summary { cursor: pointer; margin: .75rem 0; }
"""
_MOST_ROWS = 500
_MOST_OPEN = 60
_FITTING = 3
# letters from which a column needs room to be read on a phone
_LONG = 40


@dataclass(frozen=True)
class Reading:
    """A published build, open for a notebook's questions."""

    published: Published
    manifest: Mapping[str, Any]
    _open: ExitStack

    @property
    def about(self) -> str:
        """Which build is read, in a sentence."""
        build = self.published.build
        return f"Build {build.build_id}, as of {build.as_of:%Y-%m-%d %H:%M} UTC."

    def rows(self, query: str, **values: object) -> Rows:
        """The rows of a query; tables go by their names alone, values by `$name`.

        Raises:
            CioError: The build lacks a table or column that is asked for.
        """
        return rows(self.published, query, values)

    def has(self, table: str) -> bool:
        """Whether the build has a table."""
        query = "select 1 from information_schema.tables where table_name = $table"
        return bool(rows(self.published, query, {"table": table}))

    def audiences(self) -> dict[str, dict[str, Any]]:
        """What is said of each audience in its YAML, by the audience's name."""
        return {
            node["name"]: meta
            for node in self.manifest.get("nodes", {}).values()
            if (meta := (node.get("config", {}).get("meta") or {}).get("audience"))
        }

    def close(self) -> None:
        """Let go of the file."""
        self._open.close()


def open_reading(home: Home | None = None) -> Reading:
    """Open the newest published build.

    Args:
        home: The home to read from; the one of `CIO_HOME` by default.

    Raises:
        CioError: Nothing is published.
    """
    home = home or Home.resolve()
    manifest = home.root / "target" / "manifest.json"
    known = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
    with ExitStack() as stack:
        published = stack.enter_context(read_published(home))
        search(published, (*LAYERS, "outbound"))
        return Reading(published=published, manifest=known, _open=stack.pop_all())


def html_table(found: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Rows as an HTML table.

    Args:
        found: The rows.
        columns: What to show, and how to call it.

    Returns:
        HTML; empty where there are no rows. A last row says how many were left out.
    """
    if not found:
        return ""
    numeric = {name for name in columns if any(isinstance(row[name], int | float) for row in found)}
    heads = "".join(
        _cell("th", title, is_number=name in numeric) for name, title in columns.items()
    )
    lines = [
        "<tr>"
        + "".join(
            _cell("td", _shown(row[name]), is_number=name in numeric, title=title)
            for name, title in columns.items()
        )
        for row in found[:_MOST_ROWS]
    ]
    if len(found) > _MOST_ROWS:
        more = f"and {len(found) - _MOST_ROWS:,} more"
        lines.append(f'<tr><td colspan="{len(columns)}">{more}</td>')
    body = "</tr>".join(lines)
    head = f"<thead><tr>{heads}</tr></thead>"
    # what fits a phone stays a table there
    kind = ' class="cards"' if len(columns) > _FITTING else ""
    return f'<div class="scroll"><table{kind}>{head}<tbody>{body}</tr></tbody></table></div>'


def folded(shown: str, *, rows: int, of: str) -> str:
    """What is shown, behind a line that opens it where it would be long.

    Args:
        shown: HTML.
        rows: How many rows it has.
        of: Of what: `audiences`.
    """
    is_open = " open" if rows <= _MOST_OPEN else ""
    line = f"<summary>All {rows:,} {html.escape(of)}</summary>"
    return f"<details{is_open}>{line}{shown}</details>" if shown else ""


def pieces(*parts: str, nothing: str) -> str:
    """Figures and tables below one another, with their style; a sentence where all are empty."""
    shown = [part for part in parts if part]
    if not shown:
        return f"<p>{html.escape(nothing)}</p>"
    return f"<style>{_TABLE_STYLE}{STYLE}</style>{''.join(shown)}"


def _cell(tag: str, text: str, *, is_number: bool, title: str = "") -> str:
    kind = ' class="n"' if is_number else ' class="long"' if len(text) > _LONG else ""
    name = f' data-name="{html.escape(title)}"' if title else ""
    return f"<{tag}{kind}{name}>{html.escape(text)}</{tag}>"


def _shown(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return str(value)
