with preferences as (
    select * from {{ ref('int_subscription_preferences') }}
    where topic is not null and coalesce(stated_at, {{ as_of() }}) <= {{ as_of() }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by person_id, topic
            order by stated_at desc nulls last, is_subscribed asc
        ) as statement_rank
    from preferences
),

final as (
    select
        person_id,
        topic,
        stated_at,
        is_subscribed
    from ranked
    where statement_rank = 1
)

select * from final
