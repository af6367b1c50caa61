-- What people have in Customer.io that tells the arms of an experiment may be misspelt, or never be
-- read: then an arm lacks people, and the others are no experiment.
with experiment_arms as (
    select * from {{ ref('experiment_arms') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

signs as (
    select * from {{ ref('int_arm_signs') }}
),

evidence as (
    select
        experiment_id,
        arm,
        max(evidence) as evidence
    from {{ ref('int_assignment_evidence') }}
    group by experiment_id, arm
),

sign_arms as (
    select
        experiment_id,
        arm,
        min(sign) filter (where not is_heard_of) as unheard_of
    from signs
    group by experiment_id, arm
),

-- Where the company recorded who is in which arm, or a branch drew it, that is what counts.
concerned as (
    select sign_arms.experiment_id
    from sign_arms
    left join evidence
        on sign_arms.experiment_id = evidence.experiment_id
    group by sign_arms.experiment_id
    having coalesce(max(evidence.evidence), 'none') not in ('recorded', 'branch')
),

arms as (
    select
        experiment_arms.experiment_id,
        experiment_arms.arm,
        experiments.kind,
        sign_arms.arm is not null as has_sign,
        sign_arms.unheard_of,
        evidence.arm is null as is_empty
    from experiment_arms
    inner join concerned
        on experiment_arms.experiment_id = concerned.experiment_id
    inner join experiments
        on experiment_arms.experiment_id = experiments.experiment_id
    left join sign_arms
        on
            experiment_arms.experiment_id = sign_arms.experiment_id
            and experiment_arms.arm = sign_arms.arm
    left join evidence
        on
            experiment_arms.experiment_id = evidence.experiment_id
            and experiment_arms.arm = evidence.arm
    group by
        experiment_arms.experiment_id,
        experiment_arms.arm,
        experiments.kind,
        sign_arms.arm,
        sign_arms.unheard_of,
        evidence.arm
),

described as (
    select
        experiment_id,
        arm,
        is_empty,
        case
            when is_empty and has_sign and kind = 'campaign'
                then
                    'an attribute or a segment says who is in arm ' || arm
                    || ', and not who was due a message of the campaign: record who was, or make'
                    || ' the experiment global'
            when unheard_of is not null
                then
                    'no feed ever told of ' || unheard_of || ', by which arm ' || arm
                    || ' is recognised'
            when is_empty and has_sign
                then
                    'nobody was seen in arm ' || arm || ' while the experiment ran, in the same'
                    || ' kind of record as the other arms'
            when is_empty
                then
                    'arm ' || arm || ' names no attribute or segment, as others do: who is in no'
                    || ' arm is not compared'
        end as problem,
        -- What nobody ever heard of explains why others are empty.
        case
            when not is_empty then 3
            when unheard_of is not null then 1
            else 2
        end as problem_rank
    from arms
),

final as (
    select
        experiment_id,
        count(*) filter (where is_empty) as empty_arms,
        count(problem) as arms_with_a_problem,
        min_by(problem, cast(problem_rank as {{ dbt.type_string() }}) || arm) filter (
            where problem is not null
        ) as problem
    from described
    group by experiment_id
)

select * from final
