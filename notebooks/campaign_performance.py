import marimo

app = marimo.App(width="medium", app_title="Campaign performance")


@app.cell
def _():
    from collections import Counter

    import marimo as mo

    from cio.charts.shapes import Point, bars, course
    from cio.notebooks import html_table, open_reading, pieces

    reading = open_reading()
    return Counter, Point, bars, course, html_table, mo, pieces, reading


@app.cell
def _(mo, reading):
    mo.md(f"""
    # What became of messages, by what people clicked

    Clicks of people, never of machines; delivered is the denominator. Campaigns are told apart by their
    ids, so a trend goes through a rename in one piece. {reading.about}
    """)
    return


@app.cell
def _(mo, reading):
    _channels = [
        row["channel"]
        for row in reading.rows(
            "select channel from campaign_performance_daily group by channel order by channel"
        )
    ]
    channel = mo.ui.dropdown(["all", *_channels], value="all", label="Channel")
    channel
    return (channel,)


@app.cell
def _(Point, channel, course, html_table, mo, pieces, reading):
    _weeks = reading.rows(
        """
        select
            cast(date_trunc('week', sent_on) as date) as week, channel,
            cast(sum(delivered) as bigint) as delivered,
            100.0 * sum(human_clicked) / nullif(sum(delivered), 0) as click_rate,
            100.0 * sum(unsubscribes) / nullif(sum(delivered), 0) as unsubscribe_rate
        from campaign_performance_daily
        where $channel in ('all', channel)
        group by 1, 2
        having sum(delivered) >= 20
        order by 1, 2
        """,
        channel=channel.value,
    )

    def _rate(column, title):
        return course(
            [Point(row["week"], row[column], series=row["channel"]) for row in _weeks],
            title=title,
            axes=("Week of sending", "Of messages delivered, %"),
            note="Weeks with at least 20 messages.",
        )

    _totals = reading.rows(
        """
        select
            channel, coalesce(message_class, 'without a class') as message_class,
            cast(sum(delivered) as bigint) as delivered,
            100.0 * sum(human_clicked) / nullif(sum(delivered), 0) as click_rate,
            100.0 * sum(conversions) / nullif(sum(delivered), 0) as conversion_rate,
            100.0 * sum(unsubscribes) / nullif(sum(delivered), 0) as unsubscribe_rate,
            100.0 * sum(complaints) / nullif(sum(delivered), 0) as complaint_rate,
            100.0 * sum(bounces) / nullif(sum(sent), 0) as bounce_rate
        from campaign_performance_daily
        where $channel in ('all', channel)
        group by 1, 2
        order by delivered desc, 1, 2
        """,
        channel=channel.value,
    )
    _columns = {
        "delivered": "Delivered",
        "click_rate": "Clicked, %",
        "conversion_rate": "Conversion, %",
        "unsubscribe_rate": "Unsubscribed, %",
        "complaint_rate": "Complained, %",
        "bounce_rate": "Bounced, %",
    }
    mo.Html(
        pieces(
            _rate("click_rate", "Clicks by people"),
            _rate("unsubscribe_rate", "Unsubscribes"),
            "<h2>By channel and class</h2>" if _totals else "",
            html_table(_totals, {"channel": "Channel", "message_class": "Class"} | _columns),
            nothing="No message has been sent yet.",
        )
    )
    return


@app.cell
def _(Counter, bars, channel, html_table, mo, pieces, reading):
    _messages = reading.rows(
        """
        select
            coalesce(
                max_by(campaign_name, sent_on) filter (where campaign_name is not null),
                'campaign ' || max(campaign_id), 'newsletter ' || max(newsletter_id),
                'broadcast ' || max(broadcast_id),
                'transactional message ' || max(transactional_message_id), message_key
            ) as name,
            max(action_name) as action_name, channel, message_key,
            min(sent_on) as first_on, max(sent_on) as last_on,
            cast(sum(delivered) as bigint) as delivered,
            round(100.0 * sum(human_clicked) / nullif(sum(delivered), 0), 2) as click_rate,
            round(100.0 * sum(unsubscribes) / nullif(sum(delivered), 0), 2) as unsubscribe_rate
        from campaign_performance_daily
        where $channel in ('all', channel)
        group by message_key, channel
        order by delivered desc, message_key, channel
        """,
        channel=channel.value,
    )
    _named = [
        (" ".join(filter(None, (row["name"], row["action_name"], row["channel"]))), row)
        for row in _messages
        if row["click_rate"] is not None and row["delivered"] >= 50
    ]
    _alike = Counter(label for label, _ in _named)
    mo.Html(
        "<h2>By message</h2>"
        + pieces(
            bars(
                [
                    # bars of one label would be drawn as one, as long as both
                    (
                        label
                        if _alike[label] == 1
                        else f"{label}: {row['message_key'].strip('|')}",
                        row["click_rate"],
                    )
                    for label, row in _named
                ],
                title="Messages that people clicked most",
                unit="Clicked by a person, % of delivered (from 50 messages)",
            ),
            html_table(
                _messages,
                {
                    "name": "Now called",
                    "action_name": "Action",
                    "channel": "Channel",
                    "first_on": "First sent",
                    "last_on": "Last sent",
                    "delivered": "Delivered",
                    "click_rate": "Clicked, %",
                    "unsubscribe_rate": "Unsubscribed, %",
                    "message_key": "Ids",
                },
            ),
            nothing="No message has been sent yet.",
        )
    )
    return


@app.cell
def _(html_table, mo, pieces, reading):
    _claims = reading.rows(
        """
        with names as (
            select
                campaign_id,
                max_by(campaign_name, sent_on) filter (where campaign_name is not null) as name
            from campaign_performance_daily
            group by campaign_id
        )

        select
            coalesce(names.name, 'campaign ' || claims.campaign_id) as name,
            nullif(claims.currency, 'none') as currency,
            cast(claims.last_click_revenue as bigint) as last_click_revenue,
            cast(claims.experiment_last_click_revenue as bigint) as claimed,
            cast(claims.incremental_revenue as bigint) as caused,
            format('{:,.0f} to {:,.0f}', claims.incremental_ci_low, claims.incremental_ci_high)
                as interval_95,
            claims.treated_people, claims.basis
        from campaign_attribution as claims
        left join names on claims.campaign_id = names.campaign_id
        order by claims.last_click_revenue desc, claims.campaign_id, claims.currency
        """
    )
    mo.Html(
        "<h2>What clicks claim, and what was caused</h2><p>Revenue by the last click: many who click "
        "would have bought anyway, and some buy without a click. What is claimed and what is caused "
        "in an experiment are of the same people and the same time.</p>"
        + pieces(
            html_table(
                _claims,
                {
                    "name": "Campaign",
                    "currency": "Currency",
                    "last_click_revenue": "Claimed, ever",
                    "claimed": "Claimed in it",
                    "caused": "Caused in it",
                    "interval_95": "95 % interval",
                    "treated_people": "People in it",
                    "basis": "It rests on",
                },
            ),
            nothing="No campaign has been sent yet.",
        )
    )
    return


if __name__ == "__main__":
    app.run()
