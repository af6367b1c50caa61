"""The report as people meet it: on a phone, at a desk, in the dark, on paper."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from cio.report import queries
from cio.report.page import render, write_page
from tests.chromium import open_page
from tests.cio.report.pages import ad, crowded, facts, lift, one_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cio.report.facts import Facts
    from tests.chromium import Page

PHONE, DESK = 390, 1000
VIEWS: tuple[dict[str, Any], ...] = (
    {"width": PHONE},
    {"width": PHONE, "dark": True},
    {"width": DESK},
    # paper is light, whatever the screen is
    {"width": DESK, "dark": True, "media": "print"},
)
MOST_BYTES = 3_000_000

# Letters must stand out 4.5 : 1 from what is behind them (WCAG 2.2, 1.4.3); those in drawings too.
LOW_CONTRAST = """
(() => {
  const parse = c => (c.match(/[0-9.]+/g) || []).map(Number);
  const part = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length && (c.length < 4 || c[3] > 0)) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    if (!e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const ink = parse(e.closest('svg') ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(e.textContent.trim().slice(0, 40));
  }
  return bad;
})()
"""
WITHOUT_WORDS = """
[...document.querySelectorAll('svg, img')]
  .filter(e => !(e.getAttribute('aria-label') || e.getAttribute('alt'))).length
"""
OVERLAP = "document.documentElement.scrollWidth > window.innerWidth"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with open_page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("facts", [facts(), one_event(), crowded()], ids=["empty", "one", "many"])
def test_it_is_readable_everywhere(page: Page, tmp_path: Path, facts: Facts) -> None:
    path = write_page(facts, tmp_path / "report.html")
    page.problems.clear()
    page.requests.clear()
    for view in VIEWS:
        page.show(path, **view)
        assert not page.ask(OVERLAP), view
        assert page.ask(LOW_CONTRAST) == [], view
        assert page.ask(WITHOUT_WORDS) == 0, view
    assert page.problems == []
    assert {address.split(":")[0] for address in page.requests} <= {"file", "data"}


def test_the_contrast_check_finds_pale_letters(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "pale.html"
    path.write_text("<body style='background:#fff'><p style='color:#999'>pale</p></body>")
    page.show(path, width=PHONE)
    assert page.ask(LOW_CONTRAST) == ["pale"]


def test_a_large_company_has_a_small_page() -> None:
    html = render(crowded())
    assert len(html.encode()) < MOST_BYTES
    assert "And 92 in the table" in html
    # audiences that were all defined anew on one day do not hide the lift below them
    assert "185 more" in html
    # names are text, whatever they hold
    assert "<script" not in html
    assert not re.search(r'(src|href)="(?!data:)', html)


def test_an_empty_warehouse_says_what_to_do() -> None:
    html = render(facts())
    for words in ("No random holdout, no lift", "Nobody has received", "No alert is open"):
        assert words in html
    assert "<svg" not in html


def test_words_come_before_the_statistic() -> None:
    html = render(facts(lifts=(lift(),)))
    words = "Of 1,000 people, 150 order without these messages; with them 50 more."
    assert words in html
    assert html.index(words) < html.index("+5.00 points of people ordering [1.00, 9.00]")
    assert "Thin line: interval that may be looked at every day" in html


def test_a_refused_result_shows_its_reason_and_no_number() -> None:
    html = render(facts(lifts=(lift(effect=None, reason="nobody was held out"),)))
    assert "nobody was held out" in html
    assert "points of people" not in html


def test_ads_show_whom_they_reached_and_left_alone_and_what_is_not_known() -> None:
    html = render(facts(paid=(ad(), ad(overlap_people=0, currency=None, spend=None))))
    row, unknown = re.findall(r"<tr><td><b>CIO \| Retargeting.*?</tr>", html, flags=re.DOTALL)
    assert re.findall(r'class="n[^>]*>([^<]*)<', row) == [
        *("1,060", "60", "1,000", "15"),
        *("250.00 EUR", "15.00 EUR", "3.75 EUR"),
    ]
    assert '"Spent" class="n">—' in unknown
    assert "Ads: whom they reached" not in render(facts())


def test_reach_is_a_day_on_average_and_currencies_are_not_added_up() -> None:
    days = """
        create table paid_efficiency_daily as select 'meta' as platform, audience,
            active_on::date as active_on, people + 2 as people_before, people, 2 as
            suppressed_people, 0 as overlap_people, currency, 1.5::decimal(18, 4) as spend,
            0.5::decimal(18, 4) as avoided_spend, 0.0::decimal(18, 4) as overlap_spend
        from (values ('a', '2026-08-25', 999, 'EUR'), ('a', '2026-08-26', 10, 'EUR'),
            ('a', '2026-09-01', 20, 'EUR'), ('a', '2026-09-02', 999, 'EUR'),
            ('b', '2026-08-31', 5, 'EUR'), ('b', '2026-09-01', 5, 'USD'),
            ('c', '2026-09-01', 7, null)) as days(audience, active_on, people, currency)
    """
    with duckdb.connect() as connection:
        connection.execute(days)
        given = {"since": date(2026, 8, 25), "until": date(2026, 9, 1)}
        found = connection.execute(queries.PAID, given).fetchall()
    assert [(row[1], row[2], row[3], row[4], row[7], row[8]) for row in found] == [
        ("a", 2, 17, 15, "EUR", 3.0),
        ("b", 2, 7, 5, None, None),
        ("c", 1, 9, 7, None, None),
    ]


def test_it_prints(page: Page, tmp_path: Path) -> None:
    page.show(write_page(one_event(), tmp_path / "report.html"), width=DESK)
    assert page.pdf().startswith(b"%PDF")
