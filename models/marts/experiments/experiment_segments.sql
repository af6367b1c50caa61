{%- set smallest_expected = 5 -%}
with strata as (
    select * from {{ ref('experiment_strata') }}
),

experiments as (
    select
        experiment_id,
        smallest_share
    from {{ ref('int_experiment_sides') }}
    group by experiment_id, smallest_share
),

-- People are counted once, into as many groups as there are kinds of people.
counted as (
    select
        strata.experiment_id,
        case when strata.is_held_out then '' else strata.arm end as side,
        strata.tenure_before,
        strata.purchases_before,
        strata.fatigue_before,
        experiments.smallest_share,
        count(*) as people
    from strata
    inner join experiments
        on strata.experiment_id = experiments.experiment_id
    group by
        strata.experiment_id,
        case when strata.is_held_out then '' else strata.arm end,
        strata.tenure_before,
        strata.purchases_before,
        strata.fatigue_before,
        experiments.smallest_share
),

told as (
    {%- for dimension, column in [
        ('tenure', 'tenure_before'), ('orders before', 'purchases_before'),
        ('fatigue', 'fatigue_before')
    ] %}
    {{ 'union all' if not loop.first }}
    select
        experiment_id,
        side,
        '{{ dimension }}: ' as dimension,
        {{ column }} as stratum,
        smallest_share,
        sum(people) as people
    from counted
    group by experiment_id, side, {{ column }}, smallest_share
    {%- endfor %}
),

-- Chi-square wants five people expected on every side. Smaller groups are one, so that nobody's
-- split goes unchecked for being in one of them. Which are small says the plan, not what came out.
pooled as (
    select
        experiment_id,
        side,
        people,
        dimension || case
            when
                smallest_share * sum(people) over (
                    partition by experiment_id, dimension, stratum
                ) < {{ smallest_expected }}
                then 'others'
            else stratum
        end as segment
    from told
),

final as (
    select
        experiment_id,
        segment,
        side,
        cast(sum(people) as bigint) as people
    from pooled
    group by experiment_id, segment, side
)

select * from final
