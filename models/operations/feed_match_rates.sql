-- All of history: a merge or a new profile matches rows of any age.
with message_profiles as (
    select * from {{ ref('int_message_profiles') }}
),

behaviour_events as (
    select * from {{ ref('behaviour_events') }}
),

orders as (
    select * from {{ ref('orders') }}
),

counted as (
    select
        'message_events' as feed,
        coalesce(sum(events), 0) as total_rows,
        coalesce(sum(events) filter (where person_id is null), 0) as unmatched_rows
    from message_profiles
    {%- for feed in ['behaviour_events', 'orders'] %}

    union all

    select
        '{{ feed }}' as feed,
        count(*) as total_rows,
        count(*) filter (where person_id is null) as unmatched_rows
    from {{ feed }}
    {%- endfor %}
),

final as (
    select
        feed,
        cast(total_rows as bigint) as total_rows,
        cast(unmatched_rows as bigint) as unmatched_rows,
        cast(total_rows - unmatched_rows as double) / nullif(total_rows, 0) as match_rate
    from counted
)

select * from final
