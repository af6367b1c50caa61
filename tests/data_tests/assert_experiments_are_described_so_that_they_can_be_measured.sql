-- What is written wrong here is not noticed later: a share of 10 for 10 % switches the check of the
-- split off, an arm that is held out and is not is compared with itself, and without a start nobody
-- ever came.
with experiments as (
    select * from {{ ref('int_experiments') }}
),

experiment_arms as (
    select * from {{ ref('experiment_arms') }}
),

metrics as (
    select * from {{ ref('int_experiment_metrics') }}
),

described as (
    select
        experiments.experiment_id,
        case
            when experiments.starts_at is null then 'starts_at is empty'
            when experiments.ends_at <= experiments.starts_at then 'ends_at is not after starts_at'
            when experiments.window_hours <= 0 then 'window_hours is not above 0'
            when experiments.holdout_share <= 0 or experiments.holdout_share >= 1
                then 'holdout_share is not between 0 and 1: 10 % is 0.1'
            when experiments.primary_metric is not null and metrics.metric is null
                then 'primary_metric is not the name of a metric'
        end as problem
    from experiments
    left join metrics
        on experiments.primary_metric = metrics.metric
),

arms as (
    select
        experiment_id,
        case
            when count(distinct is_control) > 1
                then 'arm ' || arm || ' is held out in one row and not in another'
            when min(planned_share) <= 0 or max(planned_share) > 1
                then 'planned_share of arm ' || arm || ' is not between 0 and 1: 10 % is 0.1'
            when count(distinct planned_share) > 1
                then 'planned_share of arm ' || arm || ' differs between its rows'
        end as problem
    from experiment_arms
    group by experiment_id, arm
),

-- Nobody is ever told to have what has no name or no value; and a message that is sent to people
-- with an attribute says who was sent it, not who has the attribute.
signs as (
    select
        experiment_id,
        case
            when
                strpos(attribute, '=') = 0
                or trim(attribute) like '=%'
                or trim(attribute) like '%='
                then 'attribute ' || trim(attribute) || ' of arm ' || arm || ' is not name=value'
            when
                (attribute is not null or segment_id is not null)
                and (
                    (attribute is not null and segment_id is not null)
                    or coalesce(
                        campaign_id, parent_action_id, action_id, content_id,
                        cast(branch_index as {{ dbt.type_string() }})
                    ) is not null
                )
                then
                    'arm ' || arm || ' names an attribute or a segment beside other ids in a row:'
                    || ' each way to recognise it is a row'
        end as problem
    from experiment_arms
),

-- All its messages would be of both arms, and everybody in neither.
told_apart_by_nothing as (
    select
        one.experiment_id,
        'arms ' || min(one.arm) || ' and ' || max(other.arm) || ' are recognised by the same'
            as problem
    from experiment_arms as one
    inner join experiment_arms as other
        on
            one.experiment_id = other.experiment_id
            and one.arm < other.arm
            and coalesce(one.campaign_id, '') = coalesce(other.campaign_id, '')
            and coalesce(one.parent_action_id, '') = coalesce(other.parent_action_id, '')
            and coalesce(one.action_id, '') = coalesce(other.action_id, '')
            and coalesce(one.content_id, '') = coalesce(other.content_id, '')
            and coalesce(one.branch_index, -1) = coalesce(other.branch_index, -1)
            and coalesce(one.attribute, '') = coalesce(other.attribute, '')
            and coalesce(one.segment_id, '') = coalesce(other.segment_id, '')
    where
        coalesce(
            one.campaign_id, one.parent_action_id, one.action_id, one.content_id, one.attribute,
            one.segment_id, cast(one.branch_index as {{ dbt.type_string() }})
        ) is not null
    group by one.experiment_id
)

select * from described
where problem is not null

union all

select * from arms
where problem is not null

union all

select * from signs
where problem is not null

union all

select * from told_apart_by_nothing
