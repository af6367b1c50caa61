with person_identifiers as (
    select * from {{ ref('person_identifiers') }}
    where identifier_type = 'email'
),

connections as (
    select * from {{ ref('int_identifier_connections') }}
),

anonymous_users as (
    select * from {{ ref('int_anonymous_users') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

late_customer_ids as (
    select * from {{ ref('late_customer_ids') }}
    where is_duplicated
),

people as (
    select * from {{ ref('people') }}
),

emails as (
    select
        identifier,
        count(*) as people_of_email
    from person_identifiers
    group by identifier
),

emails_of_people as (
    select
        person_id,
        count(*) as emails_of_person
    from person_identifiers
    group by person_id
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

{% set limit = var('identity_connector_limit') -%}
{% set checks = [
    ('shared_emails', 'person_identifiers', 'emails', 'people_of_email > 1'),
    ('several_emails', 'person_identifiers', 'emails_of_people', 'emails_of_person > 1'),
    ('connectors_over_limit', 'identifiers', 'connections', 'other_identifiers > ' ~ limit),
    ('anonymous_users', 'mparticle', 'users', 'people_of_user = 0'),
    ('mpids_of_several_people', 'mparticle', 'users', 'people_of_user > 1'),
] -%}
final as (
    {%- for check_name, subject, identifiers, is_affected in checks %}
    select
        '{{ check_name }}' as check_name,
        '{{ subject }}' as subject,
        count(*) filter (where {{ is_affected }}) as affected,
        count(*) as total
    from {{ identifiers }}

    union all
    {% endfor %}
    select
        'late_customer_ids' as check_name,
        'mparticle' as subject,
        (select count(distinct late_customer_ids.customer_id) from late_customer_ids) as affected,
        count(*) as total
    from people
)

select * from final
