{#-
    Everyone who clicked, from a relation of clicks: `person_id`, `first_clicked_at`,
    `last_clicked_at`, `clicks`.
-#}
{%- macro clicked_people(clicks) -%}
    select
        person_id,
        min(occurred_at) as first_clicked_at,
        max(occurred_at) as last_clicked_at,
        count(*) as clicks
    from {{ clicks }}
    group by person_id
{%- endmacro -%}

{#-
    The same, of clicks after which nothing was ordered: an order before the click does not count,
    one at the same instant or later does. With `buyers_only`, of people who had ordered before it.
-#}
{%- macro clicked_without_order_since(clicks, purchases, buyers_only=false) -%}
    select
        {{ clicks }}.person_id,
        min({{ clicks }}.occurred_at) as first_clicked_at,
        max({{ clicks }}.occurred_at) as last_clicked_at,
        count(*) as clicks
    from {{ clicks }}
    {{ 'inner' if buyers_only else 'left' }} join {{ purchases }}
        on {{ clicks }}.person_id = {{ purchases }}.person_id
    where {{ purchases ~ '.last_ordered_at < ' ~ clicks ~ '.occurred_at' if buyers_only
        else 'coalesce(' ~ purchases ~ '.last_ordered_at < ' ~ clicks ~ '.occurred_at, true)' }}
    group by {{ clicks }}.person_id
{%- endmacro -%}

{#- Everyone who received a message, from a relation of deliveries, by one of its instants. -#}
{%- macro received_people(deliveries, instant) -%}
    select
        person_id,
        min({{ instant }}) as first_received_at,
        max({{ instant }}) as last_received_at,
        count(*) as messages
    from {{ deliveries }}
    group by person_id
{%- endmacro -%}

{#-
    An audience of everyone who clicked what the condition `clicks` says, at most `amount` units ago,
    for `reason`. Nobody is left out: to be suppressed or looked at, not to be reached.
-#}
{%- macro people_who_clicked(clicks, amount, unit, reason) -%}
with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where {{ clicks }} and {{ in_window('occurred_at', amount, unit) }}
),

clicked as (
    {{ clicked_people('human_clicks') }}
),

final as (
    select
        person_id,
        first_clicked_at as entered_at,
        last_clicked_at + interval {{ amount }} {{ unit }} as expires_at,
        '{{ reason }} ' || cast(clicks as {{ dbt.type_string() }})
        || ' times in {{ amount }} {{ unit }}s' as reason
    from clicked
)

select * from final
{%- endmacro -%}
