with people as (
    select * from {{ ref('winback_people') }}
),

delivery_arms as (
    select * from {{ ref('int_delivery_arms') }}
    where is_control
),

-- What refuses the rate of people who order refuses what is told of it here.
refusals as (
    select * from {{ ref('experiment_refusals') }}
    where metric = 'conversion_rate'
),

refused_deliveries as (
    select delivery_arms.delivery_id
    from delivery_arms
    inner join refusals
        on delivery_arms.experiment_id = refusals.experiment_id
    group by delivery_arms.delivery_id
),

described as (
    select
        people.*,
        case when people.has_come_back then 1 else 0 end as came_back,
        people.is_held_out and refused_deliveries.delivery_id is not null as is_refused
    from people
    left join refused_deliveries
        on people.delivery_id = refused_deliveries.delivery_id
),

by_origin as (
    {%- for origin in ['acquisition_channel', 'first_product_category', 'first_price'] %}
    {{ 'union all' if not loop.first }}
    select
        '{{ origin }}' as origin,
        {{ origin }} as origin_value,
        is_held_out,
        is_refused,
        came_back
    from described
    {%- endfor %}
),

counted as (
    select
        origin,
        origin_value,
        count(*) filter (where not is_held_out) as people,
        cast(coalesce(sum(came_back) filter (where not is_held_out), 0) as bigint) as came_back,
        count(*) filter (where is_held_out and not is_refused) as held_out_people,
        cast(
            coalesce(sum(came_back) filter (where is_held_out and not is_refused), 0) as bigint
        ) as held_out_came_back,
        count(*) filter (where is_refused) as refused_people
    from by_origin
    group by origin, origin_value
),

final as (
    select
        origin,
        origin_value,
        people,
        came_back,
        cast(came_back as double) / nullif(people, 0) as winback_rate,
        {{ wilson_low('came_back', 'people') }} as winback_rate_low,
        {{ wilson_high('came_back', 'people') }} as winback_rate_high,
        held_out_people,
        held_out_came_back,
        cast(held_out_came_back as double) / nullif(held_out_people, 0) as held_out_rate,
        refused_people
    from counted
)

select * from final
