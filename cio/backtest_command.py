"""`cio backtest`: the audiences as they would have been."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cio.backtest import Period, built_target
from cio.backtest import backtest as look_back
from cio.dbt import Project
from cio.load_command import instant
from cio.parsed import parse
from cio.terminal import counting, err, out, print_json, table
from warehouse.errors import UsageError
from warehouse.home import Home
from warehouse.scratch import scratch_home

if TYPE_CHECKING:
    from cio.backtest_measures import Backtest, Size

_HALF = 0.5
"""Audiences that share so much of their people are shown beside each other; `--json` has all."""


def backtest(  # noqa: PLR0913 - the options of one command
    audiences: Annotated[
        list[str] | None, typer.Argument(help="Audiences by name; every one if none is given.")
    ] = None,
    *,
    first: Annotated[str, typer.Option("--from", help="First day or instant, in UTC.")],
    last: Annotated[str, typer.Option("--to", help="Last day or instant, in UTC.")],
    every: Annotated[str, typer.Option(help="How far apart the days are: 1d, 7d.")] = "7d",
    bought_days: Annotated[
        int, typer.Option(min=1, help="Days after in which an order is `bought anyway`.")
    ] = 7,
    as_known: Annotated[
        bool, typer.Option("--as-known", help="See only what was loaded by each day.")
    ] = False,
    opens: Annotated[
        bool, typer.Option("--opens", help="Also: with machine opens counted, and without them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Build audiences as of past days: size, churn, overlaps, and who bought anyway.

    The working tree's definitions run over a copy of the warehouse: nothing is changed, published
    or sent. With --as-known a day's audience is what was built that day.
    """
    days = _days(_given(first), _given(last), _apart(every))
    home = Home.resolve()
    period = Period(days, bought_days=bought_days, is_as_known=as_known, is_with_opens=opens)
    with (
        counting("looking back", is_quiet=as_json) as progress,
        scratch_home(home, purpose="copy the warehouse to look back") as copy,
    ):
        parsed = parse(Project(home=home, target=built_target(copy)))
        parsed = replace(parsed, project=replace(parsed.project, home=copy))
        found = look_back(parsed, audiences or (), period, on_progress=progress)
    _warn(found)
    if as_json:
        print_json(found.to_json())
    else:
        _show(found, is_with_opens=opens)


def _given(text: str) -> datetime:
    given = instant(text)
    assert given is not None  # noqa: S101 - only where there is no text
    return given.astimezone(UTC).replace(tzinfo=None) if given.tzinfo else given


def _apart(text: str) -> int:
    number = text.strip().removesuffix("d")
    if not number.isdigit() or not int(number):
        message = f"--every {text}: give a number of days, as in 1d or 7d"
        raise UsageError(message)
    return int(number)


def _days(first: datetime, last: datetime, apart: int) -> tuple[datetime, ...]:
    count = (last - first) // timedelta(days=apart) + 1
    return tuple(first + timedelta(days=apart * step) for step in range(count))


def _warn(found: Backtest) -> None:
    unseen = [day.as_of for day in found.days if day.loads == 0]
    if unseen:
        err.print(
            f"nothing was loaded yet by {unseen[-1]}, so nobody was seen until then; without "
            "--as-known those days are seen with what is known now",
            soft_wrap=True,
        )


def _show(found: Backtest, *, is_with_opens: bool) -> None:
    columns = ["audience", "as of", "people", "entered", "left", "weekly churn"]
    columns.append(f"bought in {found.bought_days} d")
    columns += ["machine opens counted", "without them"] if is_with_opens else []
    rows = [_row(size, is_with_opens=is_with_opens) for size in found.sizes]
    out.print(table("Audiences looking back", columns, rows))
    much = [
        (one.audience, one.other_audience, one.shared_people, f"{one.overlap:.0%}")
        for one in found.overlaps
        if one.overlap >= _HALF
    ]
    if much:
        title = f"The same people at {found.days[-1].as_of}"
        out.print(table(title, ("audience", "other", "shared", "overlap"), much))


def _row(size: Size, *, is_with_opens: bool) -> list[object]:
    cells: list[object] = [size.audience, size.as_of.removesuffix("T00:00:00"), size.people]
    cells += ["" if count is None else count for count in (size.entered, size.left)]
    cells += [_share(size.weekly_churn_rate), _share(size.bought_rate)]
    if is_with_opens:
        counts = (size.people_with_machine_opens, size.people_without_machine_opens)
        cells += ["" if count is None else count for count in counts]
    return cells


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
