{%- set days = var('touch_budget_days') -%}

-- Every contact on every channel, one below the other, each counted against its person's budget.
with deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null and exposed_at <= {{ as_of() }}
),

paid_contacts as (
    select * from {{ ref('int_paid_contacts') }}
    where cast(active_on as timestamp) <= {{ as_of() }}
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
    from deliveries

    union all

    -- A day in a paid audience counts from its first instant.
    select
        platform || '|' || cast(active_on as {{ dbt.type_string() }}) || '|' || person_id
            as touch_id,
        'paid_audience' as touch_kind,
        person_id,
        'paid' as channel,
        cast(null as {{ dbt.type_string() }}) as message_class,
        cast(active_on as timestamp) as touched_at,
        true as is_promotional,
        true as is_budgeted
    from paid_contacts
),

counted as (
    select
        *,
        count(*) filter (where is_budgeted) over (
            partition by person_id
            order by touched_at
            range between interval {{ days }} day preceding and current row
        ) as budgeted_touches,
        count(*) filter (
            where is_budgeted and touched_at >= {{ window_start(days, 'day') }}
        ) over (partition by person_id) as budgeted_touches_now
    from touches
),

final as (
    select
        touch_id,
        touch_kind,
        person_id,
        channel,
        message_class,
        touched_at,
        {{ local_date('touched_at') }} as touched_on,
        cast({{ var('touch_budget') }} as bigint) as touch_budget,
        budgeted_touches,
        greatest({{ var('touch_budget') }} - budgeted_touches, 0) as budget_left,
        greatest({{ var('touch_budget') }} - budgeted_touches_now, 0) as budget_left_now,
        is_promotional,
        is_budgeted,
        is_budgeted and budgeted_touches > {{ var('touch_budget') }} as is_over_budget
    from counted
)

select * from final
