-- Rules kept in seeds that no person would ever come under, or everybody would: a channel that is
-- misspelt caps nothing, and nobody is told.
with fatigue_tiers as (
    select * from {{ ref('fatigue_tiers') }}
),

frequency_caps as (
    select * from {{ ref('frequency_caps') }}
),

rungs as (
    select * from {{ ref('suppression_ladder_rungs') }}
),

buying_cycles as (
    select * from {{ ref('buying_cycles') }}
),

channels as (
    select channel
    from {{ ref('channels') }}
    where is_person_message
    group by channel
)

select
    'fatigue_tiers' as seed,
    'no tier starts at 0' as problem
from fatigue_tiers
having coalesce(min(score_from), 1) <> 0

union all

select
    'frequency_caps' as seed,
    'cap ' || frequency_caps.cap_id || case
        when frequency_caps.messages < 1 then ' allows less than one message'
        when frequency_caps.days < 1 then ' has less than a day'
        else ' names a channel that is none'
    end as problem
from frequency_caps
left join channels
    on frequency_caps.channel = channels.channel
where
    frequency_caps.messages < 1
    or frequency_caps.days < 1
    or (frequency_caps.channel is not null and channels.channel is null)

union all

select
    'suppression_ladder_rungs' as seed,
    'rung ' || reason || ' needs nothing to have happened, or lasts no hour' as problem
from rungs
where minimum < 1 or window_hours < 1

union all

select
    'buying_cycles' as seed,
    'stage ' || stage || ' of ' || buying_cycle || ' ends before it starts' as problem
from buying_cycles
where from_days < 0 or to_days <= from_days
