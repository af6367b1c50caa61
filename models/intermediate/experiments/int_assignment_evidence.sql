{{ config(materialized='view') }}

with recorded as (
    select * from {{ ref('stg_experiments__assignments') }}
    where assigned_at is null or assigned_at <= {{ as_of() }}
),

delivery_arms as (
    select * from {{ ref('int_delivery_arms') }}
    where first_event_at <= {{ as_of() }}
),

branch_arms as (
    select * from {{ ref('int_branch_arms') }}
    where assigned_at <= {{ as_of() }}
),

attribute_arms as (
    select * from {{ ref('int_attribute_arms') }}
),

segment_arms as (
    select * from {{ ref('int_segment_arms') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

-- What the company recorded beats the paths its journeys took: each says who was due as well. What
-- people have in Customer.io says in which arm everyone is, at the instant it was set, or else at
-- the first reading of a segment; all of these beat messages, which show of those who were never
-- due one nothing, and of an arm that is sent nothing nobody.
kinds as (
    {%- for kind, relation in [
        ('recorded', 'recorded'), ('branch', 'branch_arms'), ('attribute', 'attribute_arms'),
        ('segment', 'segment_arms'), ('delivery', 'delivery_arms'),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        experiment_id,
        '{{ kind }}' as evidence,
        {{ loop.index }} as kind_rank
    from {{ relation }}
    group by experiment_id
    {%- endfor %}
),

best as (
    select
        experiment_id,
        min_by(evidence, kind_rank) as evidence
    from kinds
    group by experiment_id
),

signs as (
    select
        recorded.experiment_id,
        recorded.profile_key,
        recorded.arm,
        greatest(coalesce(recorded.assigned_at, experiments.starts_at), experiments.starts_at)
            as assigned_at,
        'recorded' as evidence
    from recorded
    inner join experiments
        on recorded.experiment_id = experiments.experiment_id
    -- Who was put in an arm after the end was never part of the experiment.
    where
        coalesce(recorded.assigned_at, experiments.starts_at)
        < coalesce(experiments.ends_at, cast('9999-12-31' as timestamp))
    {%- for kind, relation, assigned_at in [
        ('branch', 'branch_arms', 'assigned_at'), ('attribute', 'attribute_arms', 'assigned_at'),
        ('segment', 'segment_arms', 'assigned_at'),
        ('delivery', 'delivery_arms', 'first_event_at as assigned_at'),
    ] %}

    union all

    select
        experiment_id,
        profile_key,
        arm,
        {{ assigned_at }},
        '{{ kind }}' as evidence
    from {{ relation }}
    {%- endfor %}
),

final as (
    select signs.*
    from signs
    inner join best
        on
            signs.experiment_id = best.experiment_id
            and signs.evidence = best.evidence
)

select * from final
