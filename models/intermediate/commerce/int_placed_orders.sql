{{ config(materialized='view') }}

-- An order as the shop had told it by then. Should only what it said later be known, the order was
-- placed all the same; that it was cancelled was not known yet.
with versions as (
    select
        *,
        coalesce(updated_at > {{ as_of() }}, false) as is_later
    from {{ ref('stg_commerce__orders') }}
    where ordered_at <= {{ as_of() }}
),

-- Of most orders the newest version was told by then; only of the others is another looked for.
newest as (
    select * from versions
    where version_rank = 1 and not is_later
),

ranked as (
    select
        versions.*,
        row_number() over (
            partition by versions.order_id
            order by
                case when versions.is_later then 1 else 0 end,
                versions.version_rank * case when versions.is_later then -1 else 1 end
        ) as rank_then
    from versions
    left join newest
        on versions.order_id = newest.order_id
    where
        newest.order_id is null
        and (versions.version_rank > 1 or versions.is_later)
),

known as (
    select
        *,
        1 as rank_then
    from newest

    union all

    select * from ranked
    where rank_then = 1
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
    from known
)

select * from final
