with message_events as (
    select * from {{ ref('message_events') }}
    where metric in ('subscribed', 'unsubscribed') and occurred_at <= {{ as_of() }}
),

profiles as (
    select * from {{ ref('stg_people__consents') }}
    where is_opted_out is not null and coalesce(stated_at, {{ as_of() }}) <= {{ as_of() }}
),

api_people as (
    select * from {{ ref('stg_customerio__api_people') }}
    where is_unsubscribed is not null and observed_at <= {{ as_of() }}
),

mparticle_opt_outs as (
    select * from {{ ref('stg_mparticle__opt_outs') }}
    where occurred_at <= {{ as_of() }}
),

customerio_people as (
    select * from {{ ref('int_customerio_people') }}
    where is_suppressed
),

export_attributes as (
    select * from {{ ref('stg_customerio__export_attributes') }}
    where attribute_name = 'unsubscribed' and coalesce(changed_at, {{ as_of() }}) <= {{ as_of() }}
),

preferences as (
    select * from {{ ref('int_subscription_preferences') }}
    where channel is not null and coalesce(stated_at, {{ as_of() }}) <= {{ as_of() }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

-- An unsubscribe through a message opts out of that channel, one on the profile out of all.
statements as (
    select
        person_id,
        coalesce(channel, 'all') as channel,
        occurred_at as stated_at,
        metric = 'unsubscribed' as is_opted_out,
        false as is_suppressed
    from message_events
    where person_id is not null

    union all

    select
        profile_people.person_id,
        'all' as channel,
        profiles.stated_at,
        profiles.is_opted_out,
        false as is_suppressed
    from profiles
    inner join profile_people
        on profiles.profile_key = profile_people.profile_key

    union all

    select
        profile_people.person_id,
        'all' as channel,
        api_people.observed_at as stated_at,
        api_people.is_unsubscribed as is_opted_out,
        false as is_suppressed
    from api_people
    inner join profile_people
        on api_people.profile_key = profile_people.profile_key

    union all

    select
        profile_people.person_id,
        'all' as channel,
        mparticle_opt_outs.occurred_at as stated_at,
        mparticle_opt_outs.is_opted_out,
        false as is_suppressed
    from mparticle_opt_outs
    inner join profile_people
        on mparticle_opt_outs.profile_key = profile_people.profile_key

    union all

    -- Customer.io reaches nobody it suppresses, on any channel.
    select
        profile_people.person_id,
        'all' as channel,
        coalesce(customerio_people.updated_at, customerio_people.created_at) as stated_at,
        true as is_opted_out,
        true as is_suppressed
    from customerio_people
    inner join profile_people
        on customerio_people.profile_key = profile_people.profile_key

    union all

    -- A value that is removed is a subscription.
    select
        profile_people.person_id,
        'all' as channel,
        export_attributes.changed_at as stated_at,
        coalesce(lower(export_attributes.attribute_value) in ('true', '1'), false) as is_opted_out,
        false as is_suppressed
    from export_attributes
    inner join profile_people
        on export_attributes.profile_key = profile_people.profile_key

    union all

    select
        person_id,
        channel,
        stated_at,
        not is_subscribed as is_opted_out,
        false as is_suppressed
    from preferences
),

-- The latest word counts; of two at one instant the opt-out does. Nothing outweighs a suppression
-- that stands.
ranked as (
    select
        *,
        row_number() over (
            partition by person_id, channel
            order by is_suppressed desc, stated_at desc nulls last, is_opted_out desc
        ) as statement_rank
    from statements
),

final as (
    select
        person_id,
        channel,
        stated_at,
        is_opted_out
    from ranked
    where statement_rank = 1
)

select * from final
