-- What feeds say otherwise than before: fields that nearly every row had and few have now, words of
-- a vendor that the project's seeds do not know yet, and lines that could not be taken.
with filled_fields as (
    select * from {{ ref('int_filled_fields') }}
),

message_metrics as (
    select * from {{ ref('message_metrics') }}
),

channels as (
    select * from {{ ref('channels') }}
),

message_events as (
    select * from {{ ref('int_message_events') }}
    where {{ in_window('occurred_at', 30, 'day') }}
),

-- What is no field of a series in the first place, or only of some rows, cannot be missed.
emptied as (
    select
        feed,
        series || ': ' || field as subject,
        'field emptied' as drift_kind,
        rows_now,
        cast(filled_before as double) / rows_before as share_before,
        cast(filled_now as double) / rows_now as share_now,
        first_lacking_at as since_at
    from filled_fields
    where
        rows_before >= {{ var('schema_drift_rows') }}
        and rows_now >= {{ var('schema_drift_rows') }}
        and filled_before >= 0.95 * rows_before
        and filled_now < {{ var('schema_drift_share') }} * rows_now
),

-- What was said a month ago already is known to whoever minds.
unknown_words as (
    {%- for word, column, seed, known in [
        ('metric', 'metric', 'message_metrics', 'metric'),
        ('object type', 'object_type', 'channels', 'object_type'),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        'messages' as feed,
        '{{ word }} ' || message_events.{{ column }} as subject,
        'unknown word' as drift_kind,
        count(*) as rows_now,
        cast(0 as double) as share_before,
        cast(null as double) as share_now,
        min(message_events.occurred_at) as since_at
    from message_events
    left join {{ seed }}
        on message_events.{{ column }} = {{ seed }}.{{ known }}
    where message_events.{{ column }} is not null and {{ seed }}.{{ known }} is null
    group by message_events.{{ column }}
    having min(message_events.occurred_at) > {{ window_start(28, 'day') }}
    {%- endfor %}
),

loads as (
    {%- for name in ['customerio', 'commerce', 'mparticle', 'people', 'experiments'] %}
    {{ 'union all' if not loop.first }}
    select
        feed,
        started_at,
        records,
        quarantined
    from {{ ref('stg_' ~ name ~ '__feed_loads') }}
    {%- endfor %}
),

refused as (
    select
        feed,
        'lines' as subject,
        'lines refused' as drift_kind,
        sum(quarantined) as rows_now,
        cast(null as double) as share_before,
        cast(sum(quarantined) as double) / sum(quarantined + records) as share_now,
        min(started_at) filter (where quarantined > 0) as since_at
    from loads
    where {{ in_window('started_at', 7, 'day') }}
    group by feed
    having sum(quarantined) > 0
),

drifts as (
    {%- for part in ['emptied', 'unknown_words', 'refused'] %}
    {{ 'union all' if not loop.first }}
    select * from {{ part }}
    {%- endfor %}
),

final as (
    select
        feed,
        subject,
        drift_kind,
        since_at,
        cast(rows_now as bigint) as rows_now,
        share_before,
        share_now
    from drifts
)

select * from final
