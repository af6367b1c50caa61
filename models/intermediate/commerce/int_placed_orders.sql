-- An order as the shop had told it by then. Should only what it said later be known, the order was
-- placed all the same; that it was cancelled was not known yet.
with versions as (
    select
        *,
        coalesce(updated_at > {{ as_of() }}, false) as is_later
    from {{ ref('stg_commerce__orders') }}
    where ordered_at <= {{ as_of() }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by order_id
            order by
                case when is_later then 1 else 0 end,
                case when is_later then -version_rank else version_rank end
        ) as rank_then
    from versions
),

final as (
    select
        order_id,
        profile_key,
        currency,
        discount_code,
        acquisition_channel,
        ordered_at,
        total_amount,
        discount_amount,
        is_cancelled and not is_later as is_cancelled
    from ranked
    where rank_then = 1
)

select * from final
