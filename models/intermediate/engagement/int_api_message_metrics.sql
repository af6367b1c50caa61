{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('delivery_id', touched_api_messages()) }}",
        post_hook=["{{ record_loads(['customerio']) }}", "{{ drop_touched() }}"]
    )
}}

with api_messages as (
    select * from {{ ref('stg_customerio__api_messages') }}
    where
        metrics is not null
        and {{ 'delivery_id in (' ~ touched_keys() ~ ')' if is_incremental() else 'true' }}
),

-- The newest version says everything that the ones before it said.
versions as (
    select
        delivery_id,
        metrics,
        row_number() over (
            partition by delivery_id
            order by changed_at desc nulls last, observed_at desc, metrics desc
        ) as version_rank
    from api_messages
),

newest as (
    select
        delivery_id,
        metrics
    from versions
    where version_rank = 1
),

entries as (
    {{ json_numbers('newest', 'metrics', ['delivery_id']) }}
),

-- The first open by anybody, by a person and by a machine come under three names; a machine's has
-- two spellings. `created` is the delivery itself, and what is counted by link is counted above.
named as (
    select
        delivery_id,
        case
            when name in ('human_opened', 'prefetch_opened') then 'opened'
            when name in ('human_clicked', 'prefetch_clicked', 'machine_clicked') then 'clicked'
            else {{ normalise_metric('name') }}
        end as metric,
        case
            when name like 'human_%' then 'human'
            when name in ('prefetch_opened', 'prefetch_clicked', 'machine_clicked') then 'machine'
            else 'anybody'
        end as told_of,
        number as seconds
    from entries
    where
        number > 0
        and name <> 'created'
        and name not like 'link:%'
        and name not like 'human_link:%'
),

instants as (
    select
        delivery_id,
        metric,
        seconds,
        bool_or(told_of = 'human') as is_told_human,
        bool_or(told_of = 'machine') as is_told_machine,
        min(min(seconds) filter (where told_of = 'human')) over (
            partition by delivery_id, metric
        ) as first_human_seconds
    from named
    group by delivery_id, metric, seconds
),

flagged as (
    select
        delivery_id,
        metric,
        seconds,
        case
            when is_told_human then false
            when is_told_machine then true
            -- whoever came before the first person was none
            when seconds < first_human_seconds then true
        end as is_by_machine
    from instants

    union all

    select
        delivery_id,
        metric,
        seconds,
        true as is_by_machine
    from instants
    where is_told_human and is_told_machine
),

final as (
    select
        delivery_id,
        metric,
        {{ unix_instant('seconds') }} as occurred_at,
        is_by_machine
    from flagged
)

select * from final
