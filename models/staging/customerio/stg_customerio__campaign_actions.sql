with source as (
    select * from {{ source('customerio', 'api_campaign_actions') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.campaign_id,
        source.broadcast_id,
        source.action_id,
        source.parent_action_id,
        source.name,
        lower(source.type) as object_type,
        source.subject,
        source.language,
        source.sending_state,

        source.created_at,
        source.updated_at,
        source.observed_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
