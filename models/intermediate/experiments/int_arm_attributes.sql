{{ config(materialized='view') }}

with experiment_arms as (
    select * from {{ ref('experiment_arms') }}
    where strpos(attribute, '=') > 0
),

final as (
    select
        experiment_id,
        arm,
        attribute,
        trim(substr(attribute, 1, strpos(attribute, '=') - 1)) as attribute_name,
        trim(substr(attribute, strpos(attribute, '=') + 1)) as attribute_value
    from experiment_arms
    group by experiment_id, arm, attribute
)

select * from final
