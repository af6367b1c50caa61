{%- set reporting_currency = "upper('" ~ var('reporting_currency') ~ "')" -%}
with orders as (
    select * from {{ ref('int_orders') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

reporting_rates as (
    select * from {{ ref('int_reporting_rates') }}
),

resolved as (
    select
        orders.*,
        profile_people.person_id,
        -- An order keeps the rate of its day: what is given back later is worth what was paid.
        reporting_rates.rate as reporting_rate
    from orders
    left join profile_people
        on orders.profile_key = profile_people.profile_key
    left join reporting_rates
        on
            orders.currency = reporting_rates.currency
            and {{ local_date('orders.ordered_at') }} >= reporting_rates.valid_from
            and {{ local_date('orders.ordered_at') }} < reporting_rates.valid_before
),

-- A cancelled order is no purchase and takes no number.
numbered as (
    select
        order_id,
        row_number() over (partition by person_id order by ordered_at, order_id) as order_number
    from resolved
    where person_id is not null and not is_cancelled
),

final as (
    select
        resolved.order_id,
        resolved.person_id,
        resolved.profile_key,
        resolved.currency,
        resolved.discount_code,
        resolved.acquisition_channel,

        resolved.ordered_at,
        {{ local_date('resolved.ordered_at') }} as ordered_on,
        resolved.cancelled_at,
        resolved.first_refunded_at,

        numbered.order_number,
        resolved.total_amount,
        resolved.discount_amount,
        resolved.refunded_amount,
        cast(resolved.total_amount - resolved.refunded_amount as decimal(18, 4)) as net_amount,
        resolved.unconverted_refunds,
        case
            when resolved.reporting_rate is not null then {{ reporting_currency }}
        end as reporting_currency,
        cast(
            resolved.total_amount * resolved.reporting_rate as decimal(18, 4)
        ) as reporting_total_amount,
        cast(
            resolved.refunded_amount * resolved.reporting_rate as decimal(18, 4)
        ) as reporting_refunded_amount,
        cast(
            (resolved.total_amount - resolved.refunded_amount) * resolved.reporting_rate
            as decimal(18, 4)
        ) as reporting_net_amount,

        resolved.is_cancelled,
        resolved.refunded_amount > 0 as is_refunded,
        resolved.refunded_amount > 0
        and resolved.refunded_amount >= resolved.total_amount as is_fully_refunded
    from resolved
    left join numbered
        on resolved.order_id = numbered.order_id
)

select * from final
