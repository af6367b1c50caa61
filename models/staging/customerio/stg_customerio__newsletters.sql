with source as (
    select * from {{ source('customerio', 'api_newsletters') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.newsletter_id,
        source.subscription_topic_id,
        source.name,
        lower(source.type) as object_type,
        source.tags,
        source.content_ids,
        source.recipient_segment_ids,

        source.created_at,
        source.updated_at,
        source.sent_at,
        source.observed_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
