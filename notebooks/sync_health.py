import marimo

app = marimo.App(width="medium", app_title="Sync health")


@app.cell
def _():
    import marimo as mo

    from cio.charts.shapes import Point, bars, course
    from cio.notebooks import html_table, open_reading, pieces

    reading = open_reading()
    return Point, bars, course, html_table, mo, pieces, reading


@app.cell
def _(mo, reading):
    mo.md(f"""
    # What reached other tools, and how fast

    As of the build: a sync that ran after it is in the next one. cio sync status knows it already. {reading.about}
    """)
    return


@app.cell
def _(html_table, mo, pieces, reading):
    _runs = reading.rows(
        """
        select sync, destination, use, mode, started_at,
            round(date_diff('millisecond', started_at, finished_at) / 1000.0, 1) as seconds,
            planned, accepted, rejected, skipped, unknown, is_balanced, is_interrupted
        from sync_runs
        order by started_at desc, sync
        """
    )
    mo.Html(
        "<h2>Runs</h2>"
        + pieces(
            html_table(
                _runs,
                {
                    "sync": "Sync",
                    "destination": "Destination",
                    "use": "Use",
                    "started_at": "Started",
                    "seconds": "Seconds",
                    "planned": "Planned",
                    "accepted": "Accepted",
                    "rejected": "Rejected",
                    "skipped": "Skipped",
                    "unknown": "Unknown",
                    "is_balanced": "Balanced",
                    "is_interrupted": "Cut short",
                },
            ),
            nothing="No build has seen a sync run yet.",
        )
    )
    return


@app.cell
def _(Point, course, html_table, mo, pieces, reading):
    _latency = reading.rows("select * from sync_latency order by accepted_on, sync")
    _syncs = sorted({row["sync"] for row in _latency})[:6]
    mo.Html(
        "<h2>How long it takes</h2>"
        + pieces(
            course(
                [
                    Point(
                        row["accepted_on"],
                        row["planned_to_accepted_p95_seconds"],
                        series=row["sync"].replace("_", " "),
                    )
                    for row in _latency
                    if row["sync"] in _syncs
                ],
                title="From the start of a run to acceptance, the slowest twentieth",
                axes=("Day", "Seconds, 95th percentile"),
            ),
            html_table(
                _latency[::-1],
                {
                    "accepted_on": "Day",
                    "sync": "Sync",
                    "row_count": "Rows",
                    "event_to_accepted_p50_seconds": "Event to acceptance, median s",
                    "event_to_accepted_p95_seconds": "95th",
                    "built_to_accepted_p50_seconds": "Build to acceptance, median s",
                    "built_to_accepted_p95_seconds": "95th",
                    "planned_to_accepted_p50_seconds": "Plan to acceptance, median s",
                    "planned_to_accepted_p95_seconds": "95th",
                },
            ),
            nothing="Nothing has been accepted yet.",
        )
    )
    return


@app.cell
def _(bars, html_table, mo, pieces, reading):
    _rejections = reading.rows(
        "select * from sync_rejections order by row_count desc, sync, reason"
    )
    mo.Html(
        "<h2>What was not accepted</h2>"
        + pieces(
            bars(
                [
                    (f"{row['reason']} ({row['sync'].replace('_', ' ')})", row["row_count"])
                    for row in _rejections
                ],
                title="Rows not accepted, by reason",
                unit="Receipts",
            ),
            html_table(
                _rejections,
                {
                    "sync": "Sync",
                    "operation": "Operation",
                    "outcome": "Outcome",
                    "reason": "Reason",
                    "row_count": "Receipts",
                    "records": "Different rows",
                    "runs": "Runs",
                    "last_at": "Last",
                },
            ),
            nothing="Everything was accepted.",
        )
    )
    return


@app.cell
def _(html_table, mo, pieces, reading):
    _states = {
        "unsettled": "missing or too much",
        "differs_there": "another size there",
        "agrees_there": "agrees, and says so",
        "settled": "agrees",
    }
    _sides = [
        row
        | {
            "state": _states[row["state"]],
            "since": row["unsettled_since_at"] or row["off_since_at"],
        }
        for row in reading.rows("select * from sync_reconciliation order by sync, label")
    ]
    mo.Html(
        "<h2>Reconciliation</h2><p>What the model wants, what the destination took, and what it "
        "says it has, where it can be asked.</p>"
        + pieces(
            html_table(
                _sides,
                {
                    "sync": "Sync",
                    "label": "Label",
                    "state": "State",
                    "since": "Since",
                    "wanted": "Wanted",
                    "delivered": "Delivered",
                    "missing": "Missing",
                    "surplus": "Too much",
                    "members_sent": "Sent when asked",
                    "members_there": "There, it says",
                    "asked_at": "Asked",
                },
            ),
            nothing="No run has told what it wanted yet.",
        )
    )
    return


@app.cell
def _(html_table, mo, pieces, reading):
    _balance = reading.rows(
        """
        select sync, destination,
            count(*) as runs,
            cast(sum(planned) as bigint) as planned,
            cast(sum(accepted) as bigint) as accepted,
            cast(sum(rejected) as bigint) as rejected,
            cast(sum(skipped) as bigint) as skipped,
            cast(sum(unknown) as bigint) as unknown,
            cast(sum(planned - accepted - rejected - skipped - unknown) as bigint) as unexplained,
            count(*) filter (where not is_balanced) as unbalanced_runs
        from sync_runs
        group by sync, destination
        order by sync
        """
    )
    mo.Html(
        "<h2>Balance</h2><p>Every planned row has one outcome; what is unexplained is a "
        "defect.</p>"
        + pieces(
            html_table(
                _balance,
                {
                    "sync": "Sync",
                    "runs": "Runs",
                    "planned": "Planned",
                    "accepted": "Accepted",
                    "rejected": "Rejected",
                    "skipped": "Skipped",
                    "unknown": "Unknown",
                    "unexplained": "Unexplained",
                    "unbalanced_runs": "Runs out of balance",
                },
            ),
            nothing="No build has seen a sync run yet.",
        )
    )
    return


if __name__ == "__main__":
    app.run()
