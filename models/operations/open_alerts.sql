-- What somebody should look at now, in one table, however it was found.
with alerts as (
    {%- for family in ['feed_alerts', 'retention_alerts', 'sync_alerts', 'audience_alerts'] %}
    {{ 'union all' if not loop.first }}
    select * from {{ ref(family) }}
    {%- endfor %}
),

final as (
    select
        md5(alert_name || '|' || subject) as alert_id,
        alert_name,
        severity,
        subject,
        alert_owner,
        since_at,
        detail,
        what_to_do
    from alerts
)

select * from final
