with statements as (
    select * from {{ ref('int_consent_statements') }}
),

-- The latest word counts; of two at one instant the opt-out does. Nothing outweighs a suppression
-- that stands.
ranked as (
    select
        *,
        row_number() over (
            partition by person_id, channel
            order by is_suppressed desc, stated_at desc nulls last, is_opted_out desc
        ) as statement_rank
    from statements
),

final as (
    select
        person_id,
        channel,
        stated_at,
        is_opted_out
    from ranked
    where statement_rank = 1
)

select * from final
