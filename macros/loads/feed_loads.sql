{#- A staging model of the loads of a source's feeds: each source keeps the same of them. -#}
{%- macro feed_loads(source_name) -%}
with source as (
    select * from {{ source(source_name, 'feed_loads') }}
),

complete_loads as (
    {{ complete_loads(source_name) }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.feed,
        source.started_at,
        source.complete_through,
        source.files,
        source.records,
        source.duplicates,
        source.quarantined
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
{%- endmacro -%}
