-- One line a person, so that nobody holds two: who holds a discount, who gets the next one first,
-- and who is left out and why.
with incentive_eligibility as (
    select * from {{ ref('incentive_eligibility') }}
),

-- First whoever spent most and no longer orders.
queued as (
    select
        *,
        case
            when excluded_because is null
                then row_number() over (
                    partition by excluded_because
                    order by spent desc nulls last, last_ordered_at asc, person_id asc
                )
        end as queue_number
    from incentive_eligibility
),

final as (
    select
        person_id,
        case
            when incentive_id is not null then 'holds'
            when excluded_because is null then 'next'
            else 'excluded'
        end as incentive_status,
        incentive_id,
        channel,
        case when incentive_id is null then excluded_because end as excluded_because,
        held_since_at,
        held_until_at,
        last_granted_at,
        discounts_given,
        second_grants,
        queue_number
    from queued
)

select * from final
