with feed_watermarks as (
    select * from {{ ref('int_feed_watermarks') }}
),

final as (
    select
        feed,
        complete_through,
        {{ as_of() }} as as_of
    from feed_watermarks
)

select * from final
