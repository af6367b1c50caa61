import marimo

app = marimo.App(width="medium", app_title="Holdout readout")


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
    # What an experiment's messages caused

    Everyone who was due the messages is held against people held out at random from the same
    moment, delivered or not. No random holdout, no lift. {reading.about}
    """)
    return


@app.cell
def _(mo, reading):
    experiments = {
        row["label"]: row["experiment_id"]
        for row in reading.rows(
            "select experiment_id, label from int_experiments order by starts_at, label"
        )
    }
    experiment = mo.ui.dropdown(
        experiments or {"no experiment": ""},
        value=next(iter(experiments), "no experiment"),
        label="Experiment",
    )
    experiment
    return (experiment,)


@app.cell
def _(experiment, mo, reading):
    _metrics = [
        row["metric"]
        for row in reading.rows(
            """
            select metric, max(family = 'goal') as is_goal
            from experiment_results
            where experiment_id = $experiment and effect is not null
            group by metric
            order by metric <> 'conversion_rate', is_goal desc, metric
            """,
            experiment=experiment.value,
        )
    ] or ["no metric"]
    metric = mo.ui.dropdown(_metrics, value=_metrics[0], label="Metric")
    metric
    return (metric,)


@app.cell
def _(experiment, html_table, mo, pieces, reading):
    _assigned = reading.rows(
        """
        select
            coalesce(arm, 'several arms, so in none') as arm, count(*) as people,
            count(*) filter (where is_mature) as mature,
            count(*) filter (where is_delivered) as delivered,
            min(index_at) as first_index, max(index_at) as last_index
        from experiment_people
        where experiment_id = $experiment
        group by arm
        order by arm
        """,
        experiment=experiment.value,
    )
    mo.Html(
        "<h2>Assignment</h2>"
        + pieces(
            html_table(
                _assigned,
                {
                    "arm": "Arm",
                    "people": "People",
                    "mature": "Window over",
                    "delivered": "Delivered to",
                    "first_index": "First index",
                    "last_index": "Last index",
                },
            ),
            nothing="Nobody was assigned.",
        )
    )
    return


@app.cell
def _(experiment, html_table, mo, pieces, reading):
    _checks = reading.rows(
        """
        select check_name, status, value, threshold, detail, vetoes
        from experiment_health
        where experiment_id = $experiment
        order by status in ('pass', 'unknown'), check_name
        """,
        experiment=experiment.value,
    )
    mo.Html(
        "<h2>Health</h2><p>A check that fails refuses the result.</p>"
        + pieces(
            html_table(
                _checks,
                {
                    "check_name": "Check",
                    "status": "Status",
                    "value": "Found",
                    "threshold": "Limit",
                    "detail": "What it means",
                    "vetoes": "Refuses",
                },
            ),
            nothing="Nothing was checked.",
        )
    )
    return


@app.cell
def _(Interval, experiment, forest, html_table, mo, pieces, reading):
    _effects = reading.rows(
        """
        select
            results.metric, results.arm, results.control_arm, results.method, results.people,
            results.control_people, results.mean, results.control_mean, results.effect,
            results.ci_low, results.ci_high, looks.ci_low as always_low, looks.ci_high as always_high,
            results.p_value, results.p_value_bh, results.relative_effect, results.incremental_total,
            results.chance_it_helps, results.verdict, results.reason
        from experiment_results as results
        left join experiment_results as looks
            on
                results.experiment_id = looks.experiment_id
                and results.arm = looks.arm
                and results.control_arm = looks.control_arm
                and results.metric = looks.metric
                and results.window_hours = looks.window_hours
                and looks.method = 'always_valid' and looks.segment = 'all'
        where
            results.experiment_id = $experiment
            and (
                results.is_headline
                or (results.method = 'between_arms' and results.segment = 'all')
            )
        order by results.family, results.metric, not results.is_headline, results.arm
        """,
        experiment=experiment.value,
    )

    def _relative(row, name):
        # effects of different units stand side by side as shares of what the control does
        base = row["control_mean"]
        return None if row[name] is None or not base else 100 * row[name] / abs(base)

    _drawn = [
        Interval(
            label=f"{row['metric'].replace('_', ' ')}, {row['arm']}"
            + (f" against {row['control_arm']}" if row["method"] == "between_arms" else ""),
            value=_relative(row, "effect"),
            low=_relative(row, "ci_low"),
            high=_relative(row, "ci_high"),
            always_low=_relative(row, "always_low"),
            always_high=_relative(row, "always_high"),
        )
        for row in _effects
        if _relative(row, "effect") is not None and _relative(row, "ci_low") is not None
    ]
    mo.Html(
        "<h2>Effects</h2>"
        + pieces(
            forest(
                _drawn,
                title="Effect on each metric",
                unit="Percent of the mean it is held against",
                note="Thick: 95 % interval, read once. Thin: may be looked at every day.",
            ),
            html_table(
                _effects,
                {
                    "metric": "Metric",
                    "arm": "Arm",
                    "control_arm": "Held against",
                    "verdict": "Verdict",
                    "effect": "Effect",
                    "ci_low": "Low",
                    "ci_high": "High",
                    "incremental_total": "In all",
                    "chance_it_helps": "Chance it helps",
                    "people": "People",
                    "control_people": "People held against",
                    "p_value": "p",
                    "p_value_bh": "p (BH)",
                    "method": "Method",
                    "reason": "Why",
                },
            ),
            nothing="Nothing is measured.",
        )
    )
    return


@app.cell
def _(Point, course, experiment, mo, pieces, reading):
    _days = reading.rows(
        """
        select arm, metric, as_of_on, effect, ci_low, ci_high
        from experiment_lift_daily
        where experiment_id = $experiment and effect is not null
        order by metric, arm, as_of_on
        """,
        experiment=experiment.value,
    )

    def _over_time(metric, title, unit, factor):
        found = [row for row in _days if row["metric"] == metric]
        # the first days' intervals are so wide that nothing else would be seen
        found = [row for row in found if row["ci_low"] is not None][len(found) // 6 :]
        return [
            course(
                [
                    Point(
                        row["as_of_on"],
                        factor * row["effect"],
                        factor * row["ci_low"],
                        factor * row["ci_high"],
                    )
                    for row in found
                    if row["arm"] == arm
                ],
                title=f"{title}: {arm}",
                axes=("Day", unit),
                note="The band may be looked at every day.",
            )
            for arm in sorted({row["arm"] for row in found})
        ]

    mo.Html(
        "<h2>Lift so far, day by day</h2>"
        + pieces(
            *_over_time("conversion_rate", "Lift in people who ordered", "Points", 100),
            *_over_time("revenue_per_person", "Lift in revenue per person", "Currency", 1),
            nothing="No window is over yet.",
        )
    )
    return


@app.cell
def _(Interval, experiment, forest, metric, mo, pieces, reading):
    _methods = reading.rows(
        """
        select arm, method, effect, ci_low, ci_high
        from experiment_results
        where
            experiment_id = $experiment and metric = $metric and segment = 'all'
            and method <> 'between_arms' and ci_low is not null
        order by arm, not is_headline, method
        """,
        experiment=experiment.value,
        metric=metric.value,
    )
    _segments = reading.rows(
        """
        select arm, segment, effect, ci_low, ci_high
        from experiment_results
        where
            experiment_id = $experiment and metric = $metric and segment <> 'all'
            and method <> 'between_arms' and ci_low is not null
        order by arm, segment
        """,
        experiment=experiment.value,
        metric=metric.value,
    )

    def _intervals(found, name):
        return [
            Interval(f"{row['arm']}, {row[name]}", row["effect"], row["ci_low"], row["ci_high"])
            for row in found
        ]

    _name = metric.value.replace("_", " ")
    mo.Html(
        "<h2>The same by other methods, and by who people were before</h2>"
        + pieces(
            forest(
                _intervals(_methods, "method"),
                title=f"{_name}, by method",
                unit=_name,
                note="CUPED takes out what was known before the index; cace is the effect on "
                "those who were delivered to.",
            ),
            forest(_intervals(_segments, "segment"), title=f"{_name}, by segment", unit=_name),
            nothing="Nothing is measured.",
        )
    )
    return


@app.cell
def _(experiment, html_table, metric, mo, pieces, reading):
    _differ = reading.rows(
        """
        select arm, dimension, segments, pooled_effect, cochran_q, degrees_of_freedom, p_value
        from experiment_heterogeneity
        where experiment_id = $experiment and metric = $metric
        order by p_value, arm, dimension
        """,
        experiment=experiment.value,
        metric=metric.value,
    )
    mo.Html(
        "<p>Whether segments differ by more than chance (Cochran's Q):</p>"
        + pieces(
            html_table(
                _differ,
                {
                    "arm": "Arm",
                    "dimension": "Segments by",
                    "segments": "Segments",
                    "pooled_effect": "Pooled effect",
                    "cochran_q": "Q",
                    "degrees_of_freedom": "df",
                    "p_value": "p",
                },
            ),
            nothing="No dimension has two segments with an estimate.",
        )
    )
    return


@app.cell
def _(Point, course, experiment, mo, pieces, reading):
    _survival = reading.rows(
        """
        select arm, hours_after_index, 100 * share_without_order as share
        from experiment_survival
        where experiment_id = $experiment
        order by arm, hours_after_index
        """,
        experiment=experiment.value,
    )
    mo.Html(
        "<h2>Time to the next order</h2>"
        + pieces(
            course(
                [
                    Point(row["hours_after_index"], row["share"], series=row["arm"])
                    for row in _survival
                ],
                title="Share who have not ordered yet, by hours after the index",
                axes=("Hours after the index", "Not ordered yet, %"),
                note="Kaplan and Meier; people whose window is not over count as long as they "
                "have been followed.",
            ),
            nothing="Nobody has been followed yet, or the result is refused.",
        )
    )
    return


@app.cell
def _(experiment, html_table, mo, pieces, reading):
    _plan = reading.rows(
        """
        select metric, people, people_per_week, detectable_effect, planned_relative_effect,
            power_now, people_needed, weeks_left
        from experiment_plan
        where experiment_id = $experiment
        """,
        experiment=experiment.value,
    )
    mo.Html(
        "<h2>How long to go</h2>"
        + pieces(
            html_table(
                _plan,
                {
                    "metric": "Metric",
                    "people": "People now",
                    "people_per_week": "A week",
                    "detectable_effect": "Smallest effect it can see now",
                    "planned_relative_effect": "Relative effect it is to see",
                    "power_now": "How often it would see that now",
                    "people_needed": "People that takes",
                    "weeks_left": "Weeks left (— where nobody comes any more)",
                },
            ),
            nothing="No share was planned to be held out.",
        )
    )
    return


if __name__ == "__main__":
    app.run()
