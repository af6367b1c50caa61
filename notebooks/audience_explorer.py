import marimo

app = marimo.App(width="medium", app_title="Audience explorer")


@app.cell
def _():
    from itertools import pairwise

    import marimo as mo

    from cio.charts.shapes import Mark, Point, bars, course, heat_map
    from cio.notebooks import folded, html_table, open_reading, pieces

    reading = open_reading()
    return (
        Mark,
        Point,
        bars,
        course,
        folded,
        heat_map,
        html_table,
        mo,
        pieces,
        pairwise,
        reading,
    )


@app.cell
def _(mo, reading):
    mo.md(f"""
    # Who is in which audience, and why

    Definitions live in models/audiences; sizes are what builds saw. {reading.about}
    """)
    return


@app.cell
def _(folded, html_table, mo, pieces, reading):
    registry = reading.audiences()
    sizes = {row["audience"]: row for row in reading.rows("select * from audience_sizes")}
    _rows = [
        {
            "label": meta["label"],
            "people": sizes.get(name, {}).get("people"),
            "version": meta.get("version"),
            "use": meta.get("use"),
            "decision": " ".join(meta["decision"].split()),
            "owner": meta["owner"],
        }
        for name, meta in sorted(registry.items(), key=lambda item: item[1]["label"])
    ]
    mo.Html(
        "<h2>Registry</h2>"
        + pieces(
            folded(
                html_table(
                    _rows,
                    {
                        "label": "Audience",
                        "people": "People",
                        "version": "Version",
                        "use": "Use",
                        "decision": "What is done about it",
                        "owner": "Owner",
                    },
                ),
                rows=len(_rows),
                of="audiences",
            ),
            nothing="There are no audiences yet.",
        )
    )
    return registry, sizes


@app.cell
def _(bars, mo, pieces, registry, sizes):
    _sizes = [
        (registry.get(name, {}).get("label", name), row["people"]) for name, row in sizes.items()
    ]
    mo.Html(
        pieces(
            bars(_sizes, title="People in each audience now", unit="People", most=40),
            nothing="Nobody is in any audience.",
        )
    )
    return


@app.cell
def _(mo, registry, sizes):
    _names = {registry.get(name, {}).get("label", name): name for name in sorted(sizes)}
    audience = mo.ui.dropdown(
        _names or {"no audience": ""},
        value=next(iter(_names), "no audience"),
        label="Audience",
    )
    audience
    return (audience,)


@app.cell
def _(Mark, Point, audience, course, html_table, mo, pairwise, pieces, reading):
    _days = reading.rows(
        """
        select observed_on, version, people
        from audience_sizes_daily
        where audience = $audience
        order by observed_on
        """,
        audience=audience.value,
    )
    _marks = [
        Mark(now["observed_on"], f"version {now['version']}")
        for before, now in pairwise(_days)
        if before["version"] != now["version"]
    ]
    mo.Html(
        "<h2>Size over time</h2>"
        + pieces(
            course(
                [Point(row["observed_on"], row["people"]) for row in _days],
                title="People in it, by the day of the build",
                axes=("Day", "People"),
                marks=_marks,
                note="Orange: another version of its definition.",
            ),
            html_table(
                _days[-14:], {"observed_on": "Day", "version": "Version", "people": "People"}
            ),
            nothing="No build has seen it yet.",
        )
    )
    return


@app.cell
def _(Point, audience, course, mo, pieces, reading):
    _flow = reading.rows(
        """
        select observed_on, entered_people, left_people, weekly_churn_rate
        from audience_sizes_daily
        where audience = $audience and last_version is not null
        order by observed_on
        """,
        audience=audience.value,
    )
    mo.Html(
        "<h2>Membership flow</h2>"
        + pieces(
            course(
                [
                    Point(row["observed_on"], row[column], series=word)
                    for column, word in (("entered_people", "entered"), ("left_people", "left"))
                    for row in _flow
                ],
                title="People who entered and left, from one day of building to the next",
                axes=("Day", "People"),
            ),
            nothing="It takes builds on two days to see anybody enter or leave.",
        )
    )
    return


@app.cell
def _(heat_map, html_table, mo, pieces, reading):
    _overlaps = reading.rows(
        "select * from audience_overlaps order by overlap desc, audience, other_audience"
    )
    _names = []
    for _row in _overlaps:
        for _name in (_row["audience"], _row["other_audience"]):
            if _name not in _names and len(_names) < 20:
                _names.append(_name)
    _cells = [
        (one, other, row["overlap"])
        for row in _overlaps
        for one, other in (
            (row["audience"], row["other_audience"]),
            (row["other_audience"], row["audience"]),
        )
        if one in _names and other in _names
    ]
    mo.Html(
        "<h2>Overlaps</h2>"
        + pieces(
            heat_map(
                _cells,
                title="How alike audiences are",
                note="People in both over people in either, %. The 20 audiences that overlap most.",
            ),
            html_table(
                _overlaps[:30],
                {
                    "audience": "Audience",
                    "other_audience": "and",
                    "people": "People",
                    "other_people": "and",
                    "shared_people": "In both",
                    "overlap": "Overlap",
                },
            ),
            nothing="No two audiences share anybody.",
        )
    )
    return


@app.cell
def _(mo):
    person = mo.ui.text(label="A person: any identifier or person_id", full_width=True)
    person
    return (person,)


@app.cell
def _(html_table, mo, person, pieces, reading):
    _reasons = reading.rows(
        """
        select members.audience, members.reason, members.entered_at, members.expires_at
        from audience_members as members
        where
            members.person_id = $who
            or members.person_id in (
                select person_id from person_identifiers
                where identifier = $who or identifier = lower(trim($who))
            )
        order by members.audience
        """,
        who=person.value,
    )
    mo.Html(
        "<h2>One person's reasons</h2>"
        + pieces(
            html_table(
                _reasons,
                {
                    "audience": "Audience",
                    "reason": "Reason",
                    "entered_at": "Since",
                    "expires_at": "Until",
                },
            ),
            nothing="In no audience." if person.value else "Type an identifier above.",
        )
    )
    return


if __name__ == "__main__":
    app.run()
