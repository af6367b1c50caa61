import marimo

app = marimo.App(width="medium", app_title="Fatigue")


@app.cell
def _():
    import marimo as mo

    from cio.charts.shapes import Interval, Point, course, forest
    from cio.notebooks import html_table, open_reading, pieces

    reading = open_reading()
    return Interval, Point, course, forest, html_table, mo, pieces, reading


@app.cell
def _(mo, reading):
    mo.md(f"""
    # How much people receive, and what it does to them

    The n-th message describes and does not prove: who is sent more differs from who is sent less.
    Only the comparison with held-out people is an effect. {reading.about}
    """)
    return


@app.cell
def _(mo):
    scope = mo.ui.dropdown(["all", "promotional"], value="all", label="Messages counted")
    scope
    return (scope,)


@app.cell
def _(mo):
    window = mo.ui.dropdown(
        {"1 day": 1, "7 days": 7, "14 days": 14, "30 days": 30}, value="7 days", label="Window"
    )
    window
    return (window,)


@app.cell
def _(Point, course, html_table, mo, pieces, reading):
    _people = reading.rows(
        """
        select cast(least(messages_14d, 15) as bigint) as messages, count(*) as people
        from person_fatigue
        group by 1
        order by 1
        """
    )
    _tiers = reading.rows(
        """
        select tier, count(*) as people, round(avg(messages_14d), 1) as messages,
            round(avg(clicks_14d), 2) as clicks
        from person_fatigue
        group by tier
        order by min(score)
        """
    )
    mo.Html(
        "<h2>Pressure</h2>"
        + pieces(
            course(
                [
                    Point(f"{row['messages']}{'+' if row['messages'] == 15 else ''}", row["people"])
                    for row in _people
                ],
                title="People by messages received in 14 days",
                axes=("Messages received in 14 days", "People"),
            ),
            html_table(
                _tiers,
                {
                    "tier": "Tier",
                    "people": "People",
                    "messages": "Messages in 14 days, on average",
                    "clicks": "Clicks in 14 days, on average",
                },
            ),
            nothing="Nobody has received a message yet.",
        )
    )
    return


@app.cell
def _(Point, course, mo, pieces, reading, scope, window):
    _doses = reading.rows(
        """
        select * from fatigue_dose_response
        where scope = $scope and window_days = $days and messages >= 50
        order by message_number
        """,
        scope=scope.value,
        days=window.value,
    )

    def _response(outcome, word):
        return course(
            [
                Point(
                    f"{row['message_number']}{'+' if row['is_or_more'] else ''}",
                    100 * row[f"{outcome}_rate"],
                    100 * row[f"{outcome}_rate_low"],
                    100 * row[f"{outcome}_rate_high"],
                )
                for row in _doses
            ],
            title=f"{word} by the n-th message",
            axes=(f"Which message it was within the window of {window.value} days", f"{word}, %"),
            note="Lines: 95 % intervals. Numbers of at least 50 messages.",
        )

    mo.Html(
        "<h2>What the n-th message brings</h2>"
        + pieces(
            _response("click", "Clicks"),
            _response("click_order", "Clicks that an order followed"),
            _response("unsubscribe", "Unsubscribes"),
            _response("complaint", "Complaints"),
            nothing="Too few messages yet.",
        )
    )
    return


@app.cell
def _(Interval, forest, mo, pieces, reading):
    _effects = reading.rows(
        """
        select effects.*, experiments.label
        from fatigue_dose_effects as effects
        inner join int_experiments as experiments
            on effects.experiment_id = experiments.experiment_id
        where effects.control_people >= 50 and effects.ci_low is not null
        order by effects.outcome, experiments.label, effects.arm, effects.pressure_band
        """
    )
    mo.Html(
        "<h2>What messages cause</h2>"
        + pieces(
            *(
                forest(
                    [
                        Interval(
                            f"{row['arm']}, pressure before: {row['pressure_band']}: {row['label']}",
                            100 * row["effect"],
                            100 * row["ci_low"],
                            100 * row["ci_high"],
                        )
                        for row in _effects
                        if row["outcome"] == outcome
                    ],
                    title=f"Effect on people with a {outcome}",
                    unit="Percentage points",
                    note="Against people held out at random. Lines: 95 % intervals.",
                )
                for outcome in ("unsubscribe", "complaint", "click")
            ),
            nothing="No random holdout of at least 50 people that its health does not refuse, no "
            "effect.",
        )
    )
    return


@app.cell
def _(mo):
    cap = mo.ui.slider(1, 10, value=3, show_value=True, label="Cap: messages in the window")
    cap
    return (cap,)


@app.cell
def _(Interval, cap, forest, html_table, mo, pieces, reading, scope, window):
    _caps = reading.rows(
        """
        select * from frequency_cap_simulation
        where scope = $scope and window_days = $days
        order by cap
        """,
        scope=scope.value,
        days=window.value,
    )
    _chosen = next((row for row in _caps if row["cap"] == cap.value), None)
    _said = (
        f"<p>A cap of <b>{cap.value}</b> in {window.value} days would have withheld "
        f"{_chosen['withheld_messages_low']:,} to {_chosen['withheld_messages']:,} of "
        f"{_chosen['messages']:,} messages, and with them {_chosen['lost_clicks']:,} clicks, "
        f"{_chosen['avoided_unsubscribes']:,} unsubscribes and "
        f"{_chosen['avoided_complaints']:,} complaints: <b>{_chosen['verdict']}</b>.</p>"
        if _chosen
        else "<p>No message is old enough to say what a cap would have done.</p>"
    )
    mo.Html(
        "<h2>What a cap would have done</h2>"
        + _said
        + pieces(
            forest(
                [
                    Interval(
                        f"{row['cap']} in {window.value} days",
                        row["net_clicks"],
                        row["net_clicks_low"],
                        row["net_clicks_high"],
                    )
                    for row in _caps
                    if row["net_clicks_low"] is not None
                ],
                title="What each cap would have been worth",
                unit="Clicks: subscribers kept, in clicks, less clicks lost",
                note="Lines: 95 % intervals. What a subscriber is worth is the variable "
                "unsubscribe_cost_in_clicks.",
            ),
            html_table(
                _caps,
                {
                    "cap": "Cap",
                    "withheld_messages": "Withheld at most",
                    "lost_clicks": "Clicks lost",
                    "lost_click_orders": "Orders after them",
                    "avoided_unsubscribes": "Unsubscribes avoided",
                    "avoided_complaints": "Complaints avoided",
                    "verdict": "Verdict",
                },
            ),
            nothing="",
        )
    )
    return


@app.cell
def _(html_table, mo, pieces, reading):
    _over = reading.rows(
        """
        select cap_id, allowed_messages, window_days, person_id, messages, next_free_at
        from person_caps
        where is_reached
        order by cap_id, messages desc, person_id
        """
    )
    mo.Html(
        "<h2>Who is at a cap</h2>"
        + pieces(
            html_table(
                _over,
                {
                    "cap_id": "Cap",
                    "allowed_messages": "Allows",
                    "window_days": "In days",
                    "person_id": "Person",
                    "messages": "Received",
                    "next_free_at": "Full until",
                },
            ),
            nothing="Nobody.",
        )
    )
    return


if __name__ == "__main__":
    app.run()
