with message_events as (
    select * from {{ ref('int_message_events') }}
),

behaviour_events as (
    select * from {{ ref('behaviour_events') }}
),

orders as (
    select * from {{ ref('orders') }}
),

people as (
    select * from {{ ref('people') }}
),

anonymous_users as (
    select * from {{ ref('int_anonymous_users') }}
),

person_identifiers as (
    select * from {{ ref('person_identifiers') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

observations as (
    select * from {{ ref('int_identifier_observations') }}
),

profiles as (
    select profile_key from {{ ref('stg_people__people') }}
    union distinct
    select profile_key from {{ ref('stg_customerio__api_people') }}
),

late_customer_ids as (
    select * from {{ ref('late_customer_ids') }}
    where is_duplicated
),

destinations as (
    select * from {{ ref('destination_identifiers') }}
),

profiled_people as (
    select profile_people.person_id
    from profile_people
    inner join profiles
        on profile_people.profile_key = profiles.profile_key
    group by profile_people.person_id
),

-- Events are many and people few: whose they are is asked once for each profile.
events_of_profiles as (
    select
        profile_key,
        count(*) as events
    from message_events
    group by profile_key
),

events_of_people as (
    select
        profile_people.person_id,
        sum(events_of_profiles.events) as events
    from events_of_profiles
    left join profile_people
        on events_of_profiles.profile_key = profile_people.profile_key
    group by profile_people.person_id
),

active_people as (
    select
        events_of_people.person_id,
        cast(profiled_people.person_id is null as integer) as is_ghost
    from events_of_people
    left join profiled_people
        on events_of_people.person_id = profiled_people.person_id
    where events_of_people.person_id is not null
),

emails as (
    select
        identifier,
        count(*) as people_of_email
    from person_identifiers
    where identifier_type = 'email'
    group by identifier
),

emails_of_people as (
    select
        person_id,
        count(*) as emails_of_person
    from person_identifiers
    where identifier_type = 'email'
    group by person_id
),

-- How many other_ids an identifier came with, in either direction.
company_ids as (
    select
        customer_id,
        greatest(count(distinct cio_id), count(distinct email)) as other_ids
    from observations
    where customer_id is not null
    group by customer_id
),

addresses as (
    select
        email,
        count(distinct customer_id) as other_ids
    from observations
    where email is not null and cio_id is null
    group by email
),

-- The people that an id of mParticle's came with.
users as (
    select
        anonymous_users.profile_key,
        count(distinct profile_people.person_id) as people_of_user
    from anonymous_users
    left join profile_people
        on anonymous_users.named_profile_key = profile_people.profile_key
    group by anonymous_users.profile_key
),

connectors as (
    select other_ids from company_ids
    union all
    select other_ids from addresses
),

-- Most people have the same kinds of identifiers as many others.
identified as (
    select
        customer_id is not null as has_customer_id,
        email is not null as has_email,
        cio_id is not null as has_cio_id,
        phone is not null as has_phone,
        count(*) as people
    from people
    group by customer_id is not null, email is not null, cio_id is not null, phone is not null
),

reached as (
    select
        destinations.destination,
        identified.people,
        max(
            case destinations.identifier
                when 'customer_id' then cast(identified.has_customer_id as integer)
                when 'email' then cast(identified.has_email as integer)
                when 'cio_id' then cast(identified.has_cio_id as integer)
                when 'phone' then cast(identified.has_phone as integer)
                else 1
            end
        ) as is_reached
    from identified
    cross join destinations
    group by
        destinations.destination,
        identified.people,
        identified.has_customer_id,
        identified.has_email,
        identified.has_cio_id,
        identified.has_phone
),

counted as (
    select
        'unmatched_rows' as check_name,
        'message_events' as subject,
        coalesce(sum(events) filter (where person_id is null), 0) as affected,
        coalesce(sum(events), 0) as total
    from events_of_people

    union all

    {%- for feed in ['behaviour_events', 'orders'] %}

    select
        'unmatched_rows' as check_name,
        '{{ feed }}' as subject,
        count(*) filter (where person_id is null) as affected,
        count(*) as total
    from {{ feed }}

    union all
    {% endfor %}
    select
        'ghosts' as check_name,
        'message_events' as subject,
        coalesce(sum(is_ghost) filter (where exists (select 1 from profiles)), 0) as affected,
        count(*) filter (where exists (select 1 from profiles)) as total
    from active_people

    union all

    select
        'shared_emails' as check_name,
        'person_identifiers' as subject,
        count(*) filter (where people_of_email > 1) as affected,
        count(*) as total
    from emails

    union all

    select
        'several_emails' as check_name,
        'person_identifiers' as subject,
        count(*) filter (where emails_of_person > 1) as affected,
        count(*) as total
    from emails_of_people

    union all

    select
        'unreachable_people' as check_name,
        destination as subject,
        coalesce(sum(people) filter (where is_reached = 0), 0) as affected,
        sum(people) as total
    from reached
    group by destination

    union all

    select
        'chains_left_apart' as check_name,
        'profiles' as subject,
        count(*) filter (where not is_settled) as affected,
        count(*) as total
    from profile_people

    union all

    select
        'connectors_over_limit' as check_name,
        'identifiers' as subject,
        count(*) filter (where other_ids > {{ var('identity_connector_limit') }}) as affected,
        count(*) as total
    from connectors

    union all

    select
        'anonymous_users' as check_name,
        'mparticle' as subject,
        count(*) filter (where people_of_user = 0) as affected,
        count(*) as total
    from users

    union all

    select
        'mpids_of_several_people' as check_name,
        'mparticle' as subject,
        count(*) filter (where people_of_user > 1) as affected,
        count(*) as total
    from users

    union all

    select
        'late_customer_ids' as check_name,
        'mparticle' as subject,
        (select count(distinct late_customer_ids.customer_id) from late_customer_ids) as affected,
        count(*) as total
    from people
),

limits as (
    {%- for check_name, threshold in var('identity_thresholds').items() %}
    select
        '{{ check_name }}' as check_name,
        cast({{ threshold }} as double) as threshold
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

measured as (
    select
        counted.check_name,
        counted.subject,
        cast(counted.affected as bigint) as affected,
        cast(counted.total as bigint) as total,
        cast(counted.affected as double) / nullif(counted.total, 0) as share,
        limits.threshold
    from counted
    left join limits
        on counted.check_name = limits.check_name
),

final as (
    select
        check_name,
        subject,

        affected,
        total,
        share,
        threshold,
        case
            when total = 0 then 'no data'
            when threshold is null then 'not limited'
            when share > threshold then 'over'
            else 'ok'
        end as status
    from measured
)

select * from final
