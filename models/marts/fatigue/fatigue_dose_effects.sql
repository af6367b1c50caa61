-- What messages cause, by how many a person had already received: people who were held out at
-- random beside people who were not, in bands of the pressure before. What is refused is left out.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where is_mature and not is_mixed and arm is not null
),

experiment_contacts as (
    select * from {{ ref('experiment_contacts') }}
),

-- What refuses the rate of unsubscribes refuses what is told of it here.
refusals as (
    select * from {{ ref('experiment_refusals') }}
    where metric = 'unsubscribe_rate'
),

people as (
    select
        experiment_people.experiment_id,
        experiment_people.arm,
        experiment_people.is_held_out,
        coalesce(experiment_contacts.messages_before_14d, 0) as messages_before,
        coalesce(experiment_contacts.has_clicked, false) as has_clicked,
        coalesce(experiment_contacts.has_unsubscribed, false) as has_unsubscribed,
        coalesce(experiment_contacts.has_complained, false) as has_complained
    from experiment_people
    left join experiment_contacts
        on
            experiment_people.experiment_id = experiment_contacts.experiment_id
            and experiment_people.person_id = experiment_contacts.person_id
    left join refusals
        on experiment_people.experiment_id = refusals.experiment_id
    where refusals.experiment_id is null
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
    {%- for outcome, has in [
        ('click', 'has_clicked'), ('unsubscribe', 'has_unsubscribed'),
        ('complaint', 'has_complained'),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        experiment_id,
        arm,
        is_held_out,
        pressure_band,
        '{{ outcome }}' as outcome,
        case when {{ has }} then 1 else 0 end as happened
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
        ) }} as ci_low,
        {{ newcombe_high(
            'treated.happened', 'treated.people', 'held_out.happened', 'held_out.people'
        ) }} as ci_high
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
