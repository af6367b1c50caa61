{%- set windows = [1, 7, 14, 30] -%}
{%- set channels = ['email', 'sms', 'push', 'in_app', 'whatsapp'] -%}

-- A trapped delivery reaches nobody, whatever its feed says of it.
with person_deliveries as (
    select * from {{ ref('int_person_deliveries') }}
    where person_id is not null
),

-- All of history: somebody's last message may be years old, and of each only the last is asked.
last_messages as (
    select
        person_id,
        max(exposed_at) as last_exposed_at
    from person_deliveries
    where not is_ghost and exposed_at <= {{ as_of() }}
    group by person_id
),

recent_deliveries as (
    select
        last_messages.person_id,
        last_messages.last_exposed_at,
        person_deliveries.channel,
        person_deliveries.message_class,
        person_deliveries.is_promotional,
        person_deliveries.undeliverable_at,
        case when not person_deliveries.is_ghost then person_deliveries.exposed_at end as exposed_at
    from last_messages
    left join person_deliveries
        on
            last_messages.person_id = person_deliveries.person_id
            and (
                {{ in_window('person_deliveries.exposed_at', windows[-1], 'day') }}
                or {{ in_window('person_deliveries.undeliverable_at', windows[-1], 'day') }}
            )
),

final as (
    select
        person_id,
        {%- for days in windows %}
        count(*) filter (where {{ in_window('exposed_at', days, 'day') }}) as messages_{{ days }}d,
        count(*) filter (
            where is_promotional and {{ in_window('exposed_at', days, 'day') }}
        ) as promotional_messages_{{ days }}d,
        count(*) filter (
            where message_class = 'transactional' and {{ in_window('exposed_at', days, 'day') }}
        ) as transactional_messages_{{ days }}d,
        {%- for channel in channels %}
        count(*) filter (
            where channel = '{{ channel }}' and {{ in_window('exposed_at', days, 'day') }}
        ) as {{ channel }}_messages_{{ days }}d,
        {%- endfor %}
        -- Customer.io withheld it, as a rule because of its own message limit.
        count(*) filter (
            where {{ in_window('undeliverable_at', days, 'day') }}
        ) as undeliverable_messages_{{ days }}d,
        {%- endfor %}
        max(last_exposed_at) as last_exposed_at
    from recent_deliveries
    group by person_id
)

select * from final
