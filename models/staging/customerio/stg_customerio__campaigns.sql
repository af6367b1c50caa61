with source as (
    select * from {{ source('customerio', 'api_campaigns') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.campaign_id,
        source.name,
        source.type as campaign_type,
        source.state,
        source.tags,

        source.created_at,
        source.updated_at,
        source.first_started_at,
        source.observed_at,

        source.is_active
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
