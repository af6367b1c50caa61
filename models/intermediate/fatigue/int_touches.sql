{%- set days = var('touch_budget_days') -%}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_since(touched_contacts(
            ref('int_person_deliveries'), ref('int_paid_contacts'), var('touch_budget_days')
        ), id='touch_id', at='touched_at') }}",
        post_hook=["{{ record_builds(ref('int_person_deliveries')) }}", "{{ drop_touched() }}"]
    )
}}

-- Every contact on every channel, one below the other. A contact depends on those before it alone,
-- so a touched person's are counted again from where they differ.
with person_deliveries as (
    select * from {{ ref('int_person_deliveries') }}
    where
        person_id is not null
        and exposed_at is not null
        and not is_ghost
),

paid_contacts as (
    select * from {{ ref('int_paid_contacts') }}
),

touches as (
    select
        delivery_id as touch_id,
        'message' as touch_kind,
        person_id,
        channel,
        message_class,
        exposed_at as touched_at,
        coalesce(is_promotional, false) as is_promotional,
        -- What somebody asked for by ordering weighs on nobody.
        coalesce(message_class, '') <> 'transactional' as is_budgeted
    from person_deliveries

    union all

    -- A day in a paid audience counts from its first instant.
    select
        {{ paid_touch_id('paid_contacts') }} as touch_id,
        'paid_audience' as touch_kind,
        person_id,
        'paid' as channel,
        cast(null as {{ dbt.type_string() }}) as message_class,
        cast(active_on as timestamp) as touched_at,
        true as is_promotional,
        true as is_budgeted
    from paid_contacts
),

{% if is_incremental() -%}
touched as (
    select * from {{ beside('touched') }}
),

{% endif -%}
near as (
    select
        {% if is_incremental() -%}
        touched.since,
        {% endif -%}
        touches.*
    from touches
    {% if is_incremental() -%}
    inner join touched
        on
            touches.person_id = touched.touched_key
            and touches.touched_at >= touched.since - interval {{ days }} day
    {%- endif %}
),

counted as (
    select
        *,
        count(*) filter (where is_budgeted) over (
            partition by person_id
            order by touched_at
            range between interval {{ days }} day preceding and current row
        ) as budgeted_touches
    from near
),

final as (
    select
        touch_id,
        touch_kind,
        person_id,
        channel,
        message_class,
        touched_at,
        {{ days }} as budget_days,
        budgeted_touches,
        is_promotional,
        is_budgeted
    from counted
    {% if is_incremental() -%}
    where touched_at >= since
    {%- endif %}
)

select * from final
