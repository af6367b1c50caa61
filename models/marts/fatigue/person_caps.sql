with frequency_caps as (
    select * from {{ ref('frequency_caps') }}
),

-- Nothing older than the longest cap looks back is read.
deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and exposed_at <= {{ as_of() }}
        and exposed_at >= (
            select {{ add_hours(as_of(), '-24 * max(frequency_caps.days)') }} from frequency_caps
        )
),

counted as (
    select
        deliveries.person_id,
        frequency_caps.cap_id,
        frequency_caps.messages as allowed_messages,
        frequency_caps.days as window_days,
        {{ add_hours('deliveries.exposed_at', 'frequency_caps.days * 24') }} as leaves_at,
        row_number() over (
            partition by deliveries.person_id, frequency_caps.cap_id
            order by deliveries.exposed_at desc, deliveries.delivery_id desc
        ) as number_from_newest
    from deliveries
    inner join frequency_caps
        on
            coalesce(deliveries.channel = frequency_caps.channel, frequency_caps.channel is null)
            and {{ add_hours('deliveries.exposed_at', 'frequency_caps.days * 24') }}
            >= {{ as_of() }}
            and (
                frequency_caps.scope = 'all'
                or (
                    frequency_caps.scope = 'marketing'
                    and coalesce(deliveries.message_class, '') <> 'transactional'
                )
                or (frequency_caps.scope = 'promotional' and deliveries.is_promotional)
            )
),

-- When the message that fills the cap, counted from the newest, has left the window, one is free.
final as (
    select
        person_id,
        cap_id,
        max(allowed_messages) as allowed_messages,
        max(window_days) as window_days,
        count(*) as messages,
        greatest(max(allowed_messages) - count(*), 0) as messages_left,
        max(leaves_at) filter (where number_from_newest = allowed_messages) as next_free_at,
        count(*) >= max(allowed_messages) as is_reached
    from counted
    group by person_id, cap_id
)

select * from final
