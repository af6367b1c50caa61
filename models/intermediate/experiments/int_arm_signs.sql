{{ config(materialized='view') }}

with arm_segments as (
    select
        experiment_id,
        arm,
        trim(segment_id) as segment_id
    from {{ ref('experiment_arms') }}
    where segment_id is not null
    group by experiment_id, arm, trim(segment_id)
),

arm_attributes as (
    select * from {{ ref('int_arm_attributes') }}
),

statements as (
    select * from {{ ref('int_attribute_statements') }}
    where stated_at <= {{ as_of() }}
),

segment_observations as (
    select * from {{ ref('stg_customerio__segment_observations') }}
    where observed_at <= {{ as_of() }}
),

told_values as (
    select
        attribute_name,
        attribute_value
    from statements
    group by attribute_name, attribute_value
),

read_segments as (
    select segment_id
    from segment_observations
    group by segment_id
),

final as (
    select
        arm_attributes.experiment_id,
        arm_attributes.arm,
        arm_attributes.attribute as sign,
        told_values.attribute_name is not null as is_heard_of
    from arm_attributes
    left join told_values
        on
            arm_attributes.attribute_name = told_values.attribute_name
            and arm_attributes.attribute_value = told_values.attribute_value

    union all

    select
        arm_segments.experiment_id,
        arm_segments.arm,
        'segment ' || arm_segments.segment_id as sign,
        read_segments.segment_id is not null as is_heard_of
    from arm_segments
    left join read_segments
        on arm_segments.segment_id = read_segments.segment_id
)

select * from final
