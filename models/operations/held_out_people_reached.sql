-- The proof of the firewall, from what was accepted and not from what was planned: whoever was held
-- out when an activating sync that the experiment covers sent them.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where is_held_out
),

experiment_covers as (
    select * from {{ ref('int_experiment_covers') }}
),

receipts as (
    select * from {{ ref('stg_reverse_etl__receipts') }}
    where outcome in ('accepted', 'unknown') and operation <> 'remove'
),

runs as (
    select * from {{ ref('stg_reverse_etl__runs') }}
    where use = 'activate'
),

activated as (
    select
        receipts.person_id,
        receipts.sync,
        receipts.label,
        receipts.outcome,
        coalesce(receipts.sent_at, receipts.finished_at) as sent_at
    from receipts
    inner join runs
        on receipts.run_id = runs.run_id
),

final as (
    select
        experiment_people.experiment_id,
        experiment_people.person_id,
        activated.sync,
        activated.label,
        min(experiment_people.index_at) as held_out_at,
        min(activated.sent_at) as first_sent_at,
        count(*) as rows_sent,
        count(*) filter (where activated.outcome = 'unknown') as rows_unknown
    from experiment_people
    inner join experiment_covers
        on experiment_people.experiment_id = experiment_covers.experiment_id
    inner join activated
        on
            experiment_people.person_id = activated.person_id
            and experiment_people.index_at <= activated.sent_at
            and (
                experiment_people.held_out_until is null
                or experiment_people.held_out_until > activated.sent_at
            )
            and experiment_covers.covered in ('all', activated.sync)
    group by
        experiment_people.experiment_id,
        experiment_people.person_id,
        activated.sync,
        activated.label
)

select * from final
