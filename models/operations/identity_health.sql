with message_events as (
    select * from {{ ref('message_events') }}
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

-- Events are many and people few: who they are comes first.
people_with_events as (
    select person_id
    from message_events
    where person_id is not null
    group by person_id
),

active_people as (
    select
        people_with_events.person_id,
        cast(profiled_people.person_id is null as integer) as is_ghost
    from people_with_events
    left join profiled_people
        on people_with_events.person_id = profiled_people.person_id
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

reached as (
    select
        destinations.destination,
        people.person_id,
        max(
            case destinations.identifier
                when 'customer_id' then cast(people.customer_id is not null as integer)
                when 'email' then cast(people.email is not null as integer)
                when 'cio_id' then cast(people.cio_id is not null as integer)
                when 'phone' then cast(people.phone is not null as integer)
                else 1
            end
        ) as is_reached
    from people
    cross join destinations
    group by destinations.destination, people.person_id
),

counted as (
    {%- for feed in ['message_events', 'behaviour_events', 'orders'] %}
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
        count(*) filter (where is_reached = 0) as affected,
        count(*) as total
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
        counted.total,
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
