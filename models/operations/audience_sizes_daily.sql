{#- What was seen is not computed again: a full refresh keeps it. -#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='append_new_columns',
        full_refresh=false,
        pre_hook="{% if is_incremental() %}delete from {{ this }} where observed_on = {{ local_date(as_of()) }}{% endif %}"
    )
}}

-- The last build of a day stands for it.
with audience_sizes as (
    select * from {{ ref('audience_sizes') }}
),

final as (
    select
        audience,
        {{ local_date('as_of') }} as observed_on,
        version,
        as_of as observed_at,
        people
    from audience_sizes
)

select * from final
