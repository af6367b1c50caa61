{%- set windows = [1, 7, 14, 30] -%}

-- Which message it was to the person, counted in two ways. Rolling: among those of the days that
-- end with it. Fixed: among those of its period, where periods of that many days follow one another
-- from the person's first message. One pass; no message is joined to another.
with deliveries as (
    select
        *,
        coalesce(is_promotional, false) as promotes
    from {{ ref('deliveries') }}
    where person_id is not null and exposed_at <= {{ as_of() }}
),

click_conversions as (
    select * from {{ ref('click_conversions') }}
    where is_converted
),

aged as (
    select
        delivery_id,
        person_id,
        channel,
        message_class,
        promotes,
        exposed_at,
        first_human_clicked_at,
        unsubscribed_at,
        spammed_at,
        {{ dbt.datediff(
            'min(exposed_at) over (partition by person_id)', 'exposed_at', 'second'
        ) }} as seconds_since_first
    from deliveries
),

numbered as (
    select
        *,
        {%- for days in windows %}
        count(*) over (
            partition by person_id
            order by exposed_at
            range between unbounded preceding
            and interval {{ days * 86400 + 1 }} second preceding
        ) as messages_before_{{ days }}d,
        count(*) over (
            partition by person_id, promotes
            order by exposed_at
            range between unbounded preceding
            and interval {{ days * 86400 + 1 }} second preceding
        ) as class_messages_before_{{ days }}d,
        row_number() over (
            partition by person_id, floor(seconds_since_first / {{ days * 86400 }})
            order by exposed_at, delivery_id
        ) as period_number_{{ days }}d,
        row_number() over (
            partition by person_id, promotes, floor(seconds_since_first / {{ days * 86400 }})
            order by exposed_at, delivery_id
        ) as class_period_number_{{ days }}d,
        {%- endfor %}
        row_number() over (
            partition by person_id
            order by exposed_at, delivery_id
        ) as message_number,
        row_number() over (
            partition by person_id, promotes
            order by exposed_at, delivery_id
        ) as class_number
    from aged
),

final as (
    select
        numbered.delivery_id,
        numbered.person_id,
        numbered.channel,
        numbered.message_class,
        numbered.exposed_at,
        {%- for days in windows %}
        numbered.message_number - numbered.messages_before_{{ days }}d as number_{{ days }}d,
        numbered.class_number - numbered.class_messages_before_{{ days }}d
            as class_number_{{ days }}d,
        numbered.period_number_{{ days }}d,
        numbered.class_period_number_{{ days }}d,
        {%- endfor %}
        numbered.promotes as is_promotional,
        numbered.first_human_clicked_at is not null as is_clicked,
        numbered.unsubscribed_at is not null as is_unsubscribed,
        numbered.spammed_at is not null as is_complaint,
        click_conversions.delivery_id is not null as is_ordered
    from numbered
    left join click_conversions
        on numbered.delivery_id = click_conversions.delivery_id
)

select * from final
