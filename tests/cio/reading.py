"""What a reader sees of a page, and what a page never shows."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# what a number or a text that is not there looks like when nobody thought of it
_NOTHING = re.compile(r"\b(?:nan|NaN|null|undefined|inf)\b|(?<!Received )\bNone\b")


def text_of(page: Path) -> str:
    """What a reader sees of a page, the texts of its charts too."""
    whole = re.sub(r"(?s)<(style|script)\b.*?</\1>", " ", page.read_text(encoding="utf-8"))
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", whole)).split())


def unthought_of(text: str) -> list[str]:
    """What stands in a text where nobody thought of what is not there."""
    return _NOTHING.findall(text)
