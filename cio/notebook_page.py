"""A notebook as one page without scripts: what its cells show, with everything inside.

marimo's own HTML export loads its scripts from a network; this page needs none. What one can turn
in an open notebook stands still here, at the value the notebook starts with.
"""

from __future__ import annotations

import html
import runpy
from typing import TYPE_CHECKING, Any

from cio.report.page import write_whole

if TYPE_CHECKING:
    from pathlib import Path

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2129; --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --page: #15181d; } }
@media print { :root { --ink: #000000; --page: #ffffff; } figure, tr { break-inside: avoid; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.25rem; background: var(--page);
color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.25rem; }
.fixed { font-style: italic; }
"""


def write_notebook_page(notebook: Path, *, title: str, output: Path) -> Path:
    """Run a notebook and write what it shows.

    Args:
        notebook: Its file.
        title: Title of the page.
        output: Where to write it.

    Returns:
        The absolute path.

    Raises:
        CioError: Nothing is published, or it lacks what the notebook asks for.
    """
    outputs, definitions = run_notebook(notebook)
    try:
        body = "\n".join(shown for one in outputs if (shown := _shown(one)))
    finally:
        definitions["reading"].close()
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="icon" href="data:,"><style>{_STYLE}</style>'
    )
    page = (
        f'<!doctype html><html lang="en"><head>{head}</head><body><main>{body}</main></body></html>'
    )
    return write_whole(output, page)


def run_notebook(notebook: Path) -> tuple[list[Any], dict[str, Any]]:
    """Run a notebook's cells in their order.

    Args:
        notebook: Its file.

    Returns:
        What each cell shows, and what the cells define.
    """
    from warehouse.errors import CioError  # noqa: PLC0415 - beside the one that marimo wraps it in

    app = runpy.run_path(str(notebook))["app"]
    try:
        outputs, definitions = app.run()
    except Exception as error:
        # marimo wraps what a cell raises; a user's mistake is to be told as one
        cause = error.__cause__ or error.__context__
        if isinstance(cause, CioError):
            raise cause from error
        raise
    return list(outputs), dict(definitions)


def _shown(output: Any) -> str:  # noqa: ANN401 - whatever a cell ends with
    if output is None:
        return ""
    import marimo  # noqa: PLC0415 - only notebooks need it
    from marimo._plugins.ui._core.ui_element import UIElement  # noqa: PLC0415 - no public name

    if isinstance(output, UIElement):
        return _fixed(output)
    return str(marimo.as_html(output).text)


def _fixed(control: Any) -> str:  # noqa: ANN401 - a control of any kind
    chosen = getattr(control, "selected_key", None) or control.value
    label = control._args.label  # noqa: SLF001 - no public name
    if chosen in (None, ""):
        return ""
    return f'<p class="fixed">{label}: {html.escape(str(chosen))}</p>'
