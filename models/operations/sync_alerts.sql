{{ config(materialized='view') }}

with sync_runs as (
    select
        *,
        row_number() over (partition by sync order by started_at desc, run_id desc) as run_rank
    from {{ ref('sync_runs') }}
),

sync_reconciliation as (
    select
        *,
        sync || case when label = '' then '' else ': ' || label end as subject
    from {{ ref('sync_reconciliation') }}
),

final as (
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
        'the destination says ' || {{ grouped_number('members_there') }}
        || ' members where ' || {{ grouped_number('members_sent') }}
        || ' were sent' as detail,
        'Fewer: people it does not know. More: somebody else adds to the audience.' as what_to_do
    from sync_reconciliation
    where off_since_at is not null
)

select * from final
