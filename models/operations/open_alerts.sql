-- What somebody should look at now, in one table, however it was found.
with source_freshness as (
    select * from {{ ref('source_freshness') }}
),

volume_anomalies as (
    select * from {{ ref('volume_anomalies') }}
    where
        is_anomaly
        and occurred_on >= {{ local_date(window_start(2, 'day')) }}
),

silent_series as (
    select * from {{ ref('silent_series') }}
    where is_silent
),

schema_drift as (
    select * from {{ ref('schema_drift') }}
),

experiment_refusals as (
    select * from {{ ref('experiment_refusals') }}
    -- Amounts and margins apart: what refuses this refuses everything.
    where metric = 'conversion_rate'
),

-- What ended a month ago is decided.
experiments as (
    select * from {{ ref('int_experiments') }}
    where
        starts_at <= {{ as_of() }}
        and coalesce(ends_at >= {{ window_start(30, 'day') }}, true)
),

suppression_overlap as (
    select * from {{ ref('suppression_overlap') }}
    where is_overlap
),

incentive_ledger as (
    select * from {{ ref('incentive_ledger') }}
    where incentive_status = 'holds' and second_grants > 0
),

sync_runs as (
    select
        *,
        row_number() over (partition by sync order by started_at desc, run_id desc) as run_rank
    from {{ ref('sync_runs') }}
),

audience_sizes as (
    select * from {{ ref('audience_sizes') }}
    where is_outside
),

audience_size_anomalies as (
    select * from {{ ref('audience_size_anomalies') }}
),

message_taxonomy_coverage as (
    select * from {{ ref('message_taxonomy_coverage') }}
    where unclassified_deliveries > 0
),

sync_reconciliation as (
    select
        *,
        sync || case when label = '' then '' else ': ' || label end as subject
    from {{ ref('sync_reconciliation') }}
),

loads as (
    select count(complete_through) as feeds from source_freshness
),

alerts as (
    select
        'stale_feed' as alert_name,
        'high' as severity,
        feed as subject,
        'data' as alert_owner,
        complete_through as since_at,
        'whole until ' || cast(complete_through as {{ dbt.type_string() }}) as detail,
        'Load it; syncs that reach people hold still meanwhile.' as what_to_do
    from source_freshness
    where complete_through < {{ window_start(var('feed_stale_hours'), 'hour') }}

    union all

    select
        'nothing_loaded' as alert_name,
        'high' as severity,
        'feeds' as subject,
        'data' as alert_owner,
        cast(null as timestamp) as since_at,
        'no feed has been loaded yet, so every audience is empty' as detail,
        'Run cio init, then cio load and cio build.' as what_to_do
    from loads
    where feeds = 0

    union all

    select
        'volume_' || anomaly as alert_name,
        case when anomaly = 'drop' then 'high' else 'medium' end as severity,
        feed || ': ' || series || ' ' || cast(occurred_on as {{ dbt.type_string() }}) as subject,
        'data' as alert_owner,
        cast(occurred_on as timestamp) as since_at,
        explanation as detail,
        'See whether the source, the campaign or the taxonomy changed that day.' as what_to_do
    from volume_anomalies

    union all

    select
        'silent_series' as alert_name,
        'high' as severity,
        feed || ': ' || series as subject,
        'data' as alert_owner,
        last_occurred_at as since_at,
        'nothing for ' || cast(cast(silent_hours as bigint) as {{ dbt.type_string() }})
        || ' hours, in which about '
        || cast(cast(missed_events as bigint) as {{ dbt.type_string() }})
        || ' were to be expected' as detail,
        'See whether it still happens in the source, then whether it is still sent here.'
            as what_to_do
    from silent_series

    union all

    select
        'schema_drift' as alert_name,
        case when drift_kind = 'field emptied' then 'high' else 'medium' end as severity,
        feed || ': ' || subject as subject,
        'data' as alert_owner,
        since_at,
        case drift_kind
            when 'unknown word'
                then
                    'new, in ' || cast(rows_now as {{ dbt.type_string() }})
                    || ' rows and in no seed'
            when 'lines refused'
                then
                    cast(rows_now as {{ dbt.type_string() }}) || ' in quarantine since a week, '
                    || cast(round(100 * share_now, 1) as {{ dbt.type_string() }})
                    || ' % of the feed'
            else
                'filled in ' || cast(round(100 * share_before) as {{ dbt.type_string() }})
                || ' % of rows before and in '
                || cast(round(100 * share_now) as {{ dbt.type_string() }}) || ' % in two days'
        end as detail,
        case drift_kind
            when 'unknown word'
                then 'See what Customer.io means by it; audiences and rates pass it by.'
            when 'lines refused'
                then 'Read the reasons in the quarantine of the source, then load again.'
            else 'See what the source sends now; whatever goes by the field passes these rows by.'
        end as what_to_do
    from schema_drift

    union all

    select
        'experiment_refused' as alert_name,
        'high' as severity,
        experiments.experiment_id as subject,
        'retention' as alert_owner,
        experiments.starts_at as since_at,
        experiment_refusals.reason as detail,
        'See experiment_health; until it is mended the experiment shows no result.' as what_to_do
    from experiment_refusals
    inner join experiments
        on experiment_refusals.experiment_id = experiments.experiment_id

    union all

    select
        'suppressed_people_got_winback' as alert_name,
        'high' as severity,
        reason as subject,
        'retention' as alert_owner,
        cast(min(received_on) as timestamp) as since_at,
        cast(sum(messages) as {{ dbt.type_string() }})
        || ' winback messages in 30 days, the last on '
        || cast(max(received_on) as {{ dbt.type_string() }}) as detail,
        'Put the suppression into the flow''s own conditions in Customer.io.' as what_to_do
    from suppression_overlap
    group by reason

    union all

    select
        'second_discount' as alert_name,
        'medium' as severity,
        'incentive_ledger' as subject,
        'retention' as alert_owner,
        min(held_since_at) as since_at,
        cast(count(*) as {{ dbt.type_string() }})
        || ' people hold a discount and were given another meanwhile' as detail,
        'Keep holders out of other discount flows; incentive_ledger says who is next.' as what_to_do
    from incentive_ledger
    having count(*) > 0

    union all

    select
        'sync_failed' as alert_name,
        case when is_balanced and not is_interrupted then 'medium' else 'high' end as severity,
        sync as subject,
        'data' as alert_owner,
        finished_at as since_at,
        case
            when is_interrupted then 'the last run was cut short'
            when not is_balanced then 'the last run does not balance'
            else
                cast(rejected as {{ dbt.type_string() }}) || ' rejected and '
                || cast(unknown as {{ dbt.type_string() }}) || ' unknown rows in the last run'
        end as detail,
        'See cio sync status, then cio sync retry.' as what_to_do
    from sync_runs
    where
        run_rank = 1
        and (is_interrupted or not is_balanced or rejected > 0 or unknown > 0)

    union all

    select
        'sync_unsettled' as alert_name,
        -- whoever should not be there, or should be suppressed and is not, is worse than late
        case when surplus > 0 or use = 'suppress' then 'high' else 'medium' end as severity,
        subject,
        'data' as alert_owner,
        unsettled_since_at as since_at,
        cast(missing as {{ dbt.type_string() }}) || ' of '
        || cast(wanted as {{ dbt.type_string() }}) || ' rows missing there and '
        || cast(surplus as {{ dbt.type_string() }}) || ' too much' as detail,
        'See sync_rejections for the reasons; mend them, then cio sync retry.' as what_to_do
    from sync_reconciliation
    where unsettled_since_at <= {{ window_start(var('sync_unsettled_hours'), 'hour') }}

    union all

    select
        'sync_size_differs' as alert_name,
        'medium' as severity,
        subject,
        'data' as alert_owner,
        off_since_at as since_at,
        'the destination says ' || cast(members_there as {{ dbt.type_string() }})
        || ' members where ' || cast(members_sent as {{ dbt.type_string() }})
        || ' were sent' as detail,
        'Fewer: people it does not know. More: somebody else adds to the audience.' as what_to_do
    from sync_reconciliation
    where off_since_at is not null

    union all

    select
        'audience_size_outside_band' as alert_name,
        'medium' as severity,
        audience as subject,
        'retention' as alert_owner,
        as_of as since_at,
        cast(people as {{ dbt.type_string() }}) || ' people where '
        || cast(expected_low as {{ dbt.type_string() }}) || ' to '
        || cast(expected_high as {{ dbt.type_string() }}) || ' are expected' as detail,
        'Find out why; else correct expected_size.' as what_to_do
    from audience_sizes
    -- before anything was loaded every audience is empty: one thing to do, not one for each
    where (select loads.feeds from loads) > 0

    union all

    select
        'audience_size_' || change_kind as alert_name,
        'medium' as severity,
        audience as subject,
        'retention' as alert_owner,
        cast(observed_on as timestamp) as since_at,
        cast(people as {{ dbt.type_string() }}) || ' people where '
        || cast(cast(expected_low as bigint) as {{ dbt.type_string() }}) || ' to '
        || cast(cast(expected_high as bigint) as {{ dbt.type_string() }})
        || ' were expected, by the same definition' as detail,
        'See what its events did in load_volume_daily.' as what_to_do
    from audience_size_anomalies
    where is_anomaly

    union all

    select
        'audience_churns' as alert_name,
        'medium' as severity,
        audience as subject,
        'retention' as alert_owner,
        cast(observed_on as timestamp) as since_at,
        cast(round(100 * weekly_churn_rate) as {{ dbt.type_string() }})
        || ' % left within a week, where '
        || cast(round(100 * weekly_churn_limit) as {{ dbt.type_string() }}) || ' % may' as detail,
        'See audience_membership for who comes and goes; a longer window steadies it.'
            as what_to_do
    from audience_size_anomalies
    where is_churning

    union all

    select
        'messages_without_class' as alert_name,
        'low' as severity,
        'message_taxonomy' as subject,
        'retention' as alert_owner,
        max(last_seen_at) as since_at,
        cast(count(*) as {{ dbt.type_string() }}) || ' messages with '
        || cast(sum(unclassified_deliveries) as {{ dbt.type_string() }})
        || ' deliveries; audiences that go by class do not see them' as detail,
        'Add them to message_taxonomy.csv; message_taxonomy_coverage lists them.' as what_to_do
    from message_taxonomy_coverage
    having count(*) > 0
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
