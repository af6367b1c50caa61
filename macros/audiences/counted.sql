{#-
    Everyone who has at least `least` rows of a relation: how many, `row_count`; when that many were
    full, `filled_at`, which brings them in; and the same row counted from the newest, `holding_at`:
    when it leaves the window, they leave. A row may come by one instant and go by `last_instant`.
-#}
{%- macro people_with_at_least(least, rows, instant, row_id, last_instant=none) -%}
    select
        person_id,
        max({{ instant }}) filter (where row_from_oldest = {{ least }}) as filled_at,
        max({{ last_instant or instant }}) filter (
            where row_from_newest = {{ least }}
        ) as holding_at,
        count(*) as row_count
    from (
        select
            *,
            row_number() over (
                partition by person_id
                order by {{ instant }}, {{ row_id }}
            ) as row_from_oldest,
            row_number() over (
                partition by person_id
                order by {{ last_instant or instant }} desc, {{ row_id }} desc
            ) as row_from_newest
        from {{ rows }}
    ) as numbered
    group by person_id
    having count(*) >= {{ least }}
{%- endmacro -%}
