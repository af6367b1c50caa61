{{ config(materialized='view') }}

with experiment_refusals as (
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

message_taxonomy_coverage as (
    select * from {{ ref('message_taxonomy_coverage') }}
    where unclassified_deliveries > 0
),

final as (
    select
        'experiment_refused' as alert_name,
        'high' as severity,
        experiments.experiment_id as subject,
        coalesce(experiments.owner, 'retention') as alert_owner,
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
        {{ grouped_number('sum(messages)') }}
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
        {{ grouped_number('count(*)') }}
        || ' people hold a discount and were given another meanwhile' as detail,
        'Keep holders out of other discount flows; incentive_ledger says who is next.' as what_to_do
    from incentive_ledger
    having count(*) > 0

    union all

    select
        'messages_without_class' as alert_name,
        'low' as severity,
        'message_taxonomy' as subject,
        'retention' as alert_owner,
        max(last_seen_at) as since_at,
        {{ grouped_number('count(*)') }} || ' messages with '
        || {{ grouped_number('sum(unclassified_deliveries)') }}
        || ' deliveries; audiences that go by class do not see them' as detail,
        'Add them to message_taxonomy.csv; message_taxonomy_coverage lists them.' as what_to_do
    from message_taxonomy_coverage
    having count(*) > 0
)

select * from final
