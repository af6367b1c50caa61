with source as (
    select * from {{ source('customerio', 'api_topics') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        coalesce(lower(trim(source.identifier)), 'topic_' || source.topic_id) as topic,
        source.topic_id,
        source.name,
        source.is_subscribed_by_default,
        source.observed_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

ranked as (
    select
        *,
        row_number() over (partition by topic order by observed_at desc, name asc) as version_rank
    from renamed
),

final as (
    select
        topic,
        topic_id,
        name,
        is_subscribed_by_default,
        observed_at
    from ranked
    where version_rank = 1
)

select * from final
