with expected_volumes as (
    select * from {{ ref('expected_volumes') }}
),

judged as (
    select
        *,
        case
            when events < expected_events - tolerance then 'drop'
            when events > expected_events + tolerance then 'spike'
            else 'none'
        end as anomaly
    from expected_volumes
),

final as (
    select
        feed,
        series,
        occurred_on,
        anomaly,
        series || ' on ' || cast(occurred_on as {{ dbt.type_string() }}) || ': '
        || {{ grouped_number('events') }} || ' where '
        || {{ grouped_number('greatest(expected_events - tolerance, 0)') }}
        || ' to '
        || {{ grouped_number('expected_events + tolerance') }}
        || ' were expected from ' || cast(weeks as {{ dbt.type_string() }})
        || ' such weekdays' as explanation,
        events,
        expected_events,
        greatest(expected_events - tolerance, 0) as expected_low,
        expected_events + tolerance as expected_high,
        weeks,
        anomaly <> 'none' as is_anomaly
    from judged
)

select * from final
