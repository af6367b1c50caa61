"""What the report and the notebooks ask of a published build."""

from __future__ import annotations

COUNTS = """
select
    (select count(*) from people) as people,
    (select count(*) from message_events) as events,
    (select count(*) from orders) as orders,
    count(*) as deliveries,
    cast(coalesce(sum(human_clicks), 0) as bigint) as human_clicks,
    cast(coalesce(sum(machine_clicks), 0) as bigint) as machine_clicks,
    cast(coalesce(sum(human_opens), 0) as bigint) as human_opens,
    cast(coalesce(sum(machine_opens), 0) as bigint) as machine_opens
from deliveries
"""

# Beside the interval that is read once, at the end, the one that may be looked at every day.
LIFTS = """
select
    results.experiment_id as experiment, experiments.label, results.arm, results.metric,
    results.people, results.control_people, results.mean, results.control_mean, results.effect,
    results.ci_low, results.ci_high, looks.ci_low as always_low, looks.ci_high as always_high,
    results.p_value, results.verdict, results.reason, results.window_hours
from experiment_results as results
inner join int_experiments as experiments on results.experiment_id = experiments.experiment_id
left join experiment_results as looks
    on
        results.experiment_id = looks.experiment_id
        and results.arm = looks.arm
        and results.metric = looks.metric
        and results.window_hours = looks.window_hours
        and looks.method = 'always_valid'
        and looks.segment = 'all'
where
    results.is_headline
    and results.metric in (
        'conversion_rate', 'orders_per_person', 'revenue_per_person', 'net_revenue_per_person'
    )
order by experiments.starts_at, results.experiment_id, results.arm, results.metric
"""

SIZES = "select audience, people, expected_low, expected_high, is_outside from audience_sizes"

SIZES_DAILY = """
select audience, observed_on, version, people
from audience_sizes_daily
order by audience, observed_on
"""

PRESSURE = """
select
    cast(least(messages_14d, 12) as bigint) as messages,
    count(*) as people,
    count(*) filter (where clicks_14d > 0) as clickers
from person_fatigue
group by 1
order by 1
"""

# what the n-th message within a week brought; all messages count
DOSES = """
select
    message_number, is_or_more, messages, click_rate, click_rate_low, click_rate_high,
    unsubscribe_rate, unsubscribe_rate_low, unsubscribe_rate_high
from fatigue_dose_response
where scope = 'all' and window_days = 7
order by message_number
"""

DOSE_EFFECTS = """
select
    effects.experiment_id, experiments.label, effects.arm, effects.pressure_band, effects.outcome,
    effects.people, effects.control_people, effects.effect, effects.ci_low, effects.ci_high
from fatigue_dose_effects as effects
inner join int_experiments as experiments on effects.experiment_id = experiments.experiment_id
where effects.outcome = 'unsubscribe' and effects.effect is not null
order by
    experiments.starts_at, effects.arm,
    case effects.pressure_band when 'all' then 0 when 'none' then 1 when 'some' then 2 else 3 end
"""

CAPS = """
select scope, window_days, cap, withheld_messages, lost_clicks, avoided_unsubscribes, verdict
from frequency_cap_simulation
where is_recommended
order by scope, window_days
"""

TIERS = """
select tier, count(*) as people, count(*) filter (where cap_reached is not null) as capped
from person_fatigue
group by tier
order by min(score)
"""

# a day on average; amounts of several currencies are not added up
PAID = """
select
    platform, audience, count(*) as days,
    cast(round(avg(people_before)) as bigint) as people_before,
    cast(round(avg(people)) as bigint) as people,
    cast(round(avg(suppressed_people)) as bigint) as suppressed_people,
    cast(round(avg(overlap_people)) as bigint) as overlap_people,
    case when count(distinct currency) = 1 then max(currency) end as currency,
    case when count(distinct currency) = 1 then cast(sum(spend) as double) end as spend,
    case when count(distinct currency) = 1 then cast(sum(avoided_spend) as double) end
        as avoided_spend,
    case when count(distinct currency) = 1 then cast(sum(overlap_spend) as double) end
        as overlap_spend
from paid_efficiency_daily
where active_on > $since and active_on <= $until
group by platform, audience
order by suppressed_people desc, platform, audience
limit 20
"""

ALERTS = """
select alert_name, severity, subject, alert_owner as owner, since_at, detail, what_to_do
from open_alerts
order by
    case severity when 'high' then 0 when 'medium' then 1 else 2 end,
    since_at desc nulls last, alert_name, subject
"""

HEALTH = """
select health.experiment_id, experiments.label, experiments.owner, health.check_name,
    health.status, health.detail
from experiment_health as health
inner join int_experiments as experiments on health.experiment_id = experiments.experiment_id
left join open_alerts as alerts
    on alerts.alert_name = 'experiment_refused' and alerts.subject = health.experiment_id
where health.status in ('warn', 'fail') and alerts.subject is null
order by health.status, health.experiment_id, health.check_name
"""

FEEDS = "select feed, complete_through from source_freshness order by feed"

VOLUMES = """
select feed, series, occurred_on, anomaly, events, expected_events
from volume_anomalies
where is_anomaly
order by occurred_on desc, abs(events - expected_events) desc
limit 20
"""

IDENTITY = """
select check_name, subject, affected, total, share, threshold, status
from identity_health
where status = 'over'
order by check_name, subject
"""

UNCLASSIFIED = """
select
    count(*) filter (where unclassified_deliveries > 0) as messages,
    cast(coalesce(sum(unclassified_deliveries), 0) as bigint) as deliveries
from message_taxonomy_coverage
"""

LATENCIES = """
select
    sync,
    max_by(planned_to_accepted_p95_seconds, accepted_on) as planned_p95_seconds,
    max_by(built_to_accepted_p95_seconds, accepted_on) as built_p95_seconds
from sync_latency
group by sync
order by sync
"""

# the last days beside as many before them; both bounds are days
CHANNELS = """
select
    channel,
    cast(coalesce(sum(delivered) filter (where sent_on > $since), 0) as bigint) as delivered,
    cast(coalesce(sum(delivered) filter (where sent_on <= $since), 0) as bigint)
        as delivered_before,
    cast(coalesce(sum(human_clicked) filter (where sent_on > $since), 0) as bigint) as clicked,
    cast(coalesce(sum(human_clicked) filter (where sent_on <= $since), 0) as bigint)
        as clicked_before
from campaign_performance_daily
where sent_on > $before and sent_on <= $until
group by channel
having sum(delivered) > 0
order by channel
"""

NEW_MESSAGES = """
select
    coalesce(
        max(campaign_name), 'campaign ' || max(campaign_id), 'newsletter ' || max(newsletter_id),
        'broadcast ' || max(broadcast_id),
        'transactional message ' || max(transactional_message_id), 'a message without ids'
    ) as name,
    channel,
    min(sent_on) as first_on,
    cast(sum(delivered) as bigint) as delivered
from campaign_performance_daily
where sent_on <= $until
group by message_key, channel
having min(sent_on) > $since
order by delivered desc, name
limit 8
"""

LIFT_DAILY = """
select
    daily.experiment_id, experiments.label, daily.arm, daily.metric, daily.as_of_on, daily.people,
    daily.control_people, daily.effect, daily.ci_low, daily.ci_high
from experiment_lift_daily as daily
inner join int_experiments as experiments on daily.experiment_id = experiments.experiment_id
order by experiments.starts_at, daily.experiment_id, daily.arm, daily.metric, daily.as_of_on
"""
