-- A view: what a build saw is landed after its last model, when it is published.
{{ config(materialized='view') }}

with stg_audiences__builds as (
    select * from {{ ref('stg_audiences__builds') }}
),

final as (
    select
        audience,
        build_id,
        observed_at,
        version,
        checksum,
        people,
        entered_people,
        left_people
    from stg_audiences__builds
)

select * from final
