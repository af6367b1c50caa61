-- What messages cause, by how many a person had already received: people who were held out at
-- random beside people who were not, in bands of the pressure before their index.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where is_mature and not is_mixed and arm is not null
),

deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null
),

people as (
    select
        experiment_people.experiment_id,
        experiment_people.arm,
        experiment_people.is_held_out,
        experiment_people.person_id,
        count(*) filter (
            where
            deliveries.exposed_at < experiment_people.index_at
            and deliveries.exposed_at >= experiment_people.index_at - interval 14 day
        ) as messages_before,
        count(*) filter (
            where
            deliveries.first_human_clicked_at >= experiment_people.index_at
            and deliveries.first_human_clicked_at < experiment_people.window_ends_at
        ) as clicks,
        count(*) filter (
            where
            deliveries.unsubscribed_at >= experiment_people.index_at
            and deliveries.unsubscribed_at < experiment_people.window_ends_at
        ) as unsubscribes,
        count(*) filter (
            where
            deliveries.spammed_at >= experiment_people.index_at
            and deliveries.spammed_at < experiment_people.window_ends_at
        ) as complaints
    from experiment_people
    left join deliveries
        on experiment_people.person_id = deliveries.person_id
    group by
        experiment_people.experiment_id,
        experiment_people.arm,
        experiment_people.is_held_out,
        experiment_people.person_id
),

banded as (
    select
        *,
        case
            when messages_before = 0 then 'none'
            when messages_before < {{ var('fatigue_risk_messages') }} then 'some'
            else 'many'
        end as pressure_band
    from people
),

outcomes as (
    {%- for outcome in ['click', 'unsubscribe', 'complaint'] %}
    {{ 'union all' if not loop.first }}
    select
        experiment_id,
        arm,
        is_held_out,
        pressure_band,
        '{{ outcome }}' as outcome,
        case when {{ outcome }}s > 0 then 1 else 0 end as happened
    from banded
    {%- endfor %}
),

counted as (
    select
        experiment_id,
        arm,
        is_held_out,
        pressure_band,
        outcome,
        count(*) as people,
        cast(sum(happened) as bigint) as happened
    from outcomes
    group by experiment_id, arm, is_held_out, pressure_band, outcome

    union all

    select
        experiment_id,
        arm,
        is_held_out,
        'all' as pressure_band,
        outcome,
        count(*) as people,
        cast(sum(happened) as bigint) as happened
    from outcomes
    group by experiment_id, arm, is_held_out, outcome
),

final as (
    select
        treated.experiment_id,
        treated.arm,
        held_out.arm as control_arm,
        treated.pressure_band,
        treated.outcome,
        treated.people,
        held_out.people as control_people,
        cast(treated.happened as double) / treated.people as rate,
        cast(held_out.happened as double) / held_out.people as control_rate,
        cast(treated.happened as double) / treated.people
        - cast(held_out.happened as double) / held_out.people as effect,
        {{ newcombe_low(
            'treated.happened', 'treated.people', 'held_out.happened', 'held_out.people'
        ) }}
            as ci_low,
        {{ newcombe_high(
            'treated.happened', 'treated.people', 'held_out.happened', 'held_out.people'
        ) }}
            as ci_high
    from counted as treated
    inner join counted as held_out
        on
            treated.experiment_id = held_out.experiment_id
            and treated.pressure_band = held_out.pressure_band
            and treated.outcome = held_out.outcome
            and held_out.is_held_out
    where not treated.is_held_out
)

select * from final
