-- A view: the row of a build is written after its last model.
{{ config(materialized='view') }}

with builds as (
    select * from {{ source('dbt', 'builds') }}
),

final as (
    select
        build_id,
        command,
        selection,
        target,
        schema_prefix,
        started_at,
        finished_at,
        as_of,
        models,
        failures,
        is_as_of_given,
        is_whole,
        is_passed
    from builds
)

select * from final
