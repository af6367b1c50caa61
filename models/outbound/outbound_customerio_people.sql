with person_attributes as (
    select * from {{ ref('person_attributes') }}
),

people as (
    select * from {{ ref('people') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where channel = 'all' and is_opted_out
),

person_audience_lists as (
    select * from {{ ref('person_audience_lists') }}
),

described as (
    select
        people.person_id,
        people.customer_id,
        people.email,
        people.cio_id,
        {{ mparticle_profile_key('people.customer_id', 'people.email') }} as profile_key,
        opted_out.person_id is not null as is_opted_out,
        person_attributes.updated_at,
        {{ 'person_attributes.attributes' if var('mparticle_user_attributes') else "'{}'" }}
            as attributes,
        {{ 'person_audience_lists.attributes' if var('mparticle_audience_attributes')
            else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as audience_attributes,
        {{ json_object([
            ('first_name', 'coalesce(person_attributes.first_name, people.first_name)'),
            ('last_name', 'coalesce(person_attributes.last_name, people.last_name)'),
            ('email', 'people.email'),
            ('created_at', unix_seconds('people.created_at') if var('mparticle_created_at')
                else 'cast(null as bigint)'),
            ('unsubscribed', 'case when opted_out.person_id is not null then true end'),
            ('SegmentMembership', 'person_audience_lists.audience_ids'),
        ]) }} as own
    from person_attributes
    inner join people
        on person_attributes.person_id = people.person_id
    left join person_audience_lists
        on person_attributes.person_id = person_audience_lists.person_id
    left join opted_out
        on person_attributes.person_id = opted_out.person_id
),

-- Customer.io gives these names a meaning: an attribute of the app's that happens to bear one would
-- subscribe people again, or move their creation.
freed as (
    select
        *,
        {{ json_merge(
            'attributes',
            "'" ~ '{"$FirstName":null,"$LastName":null,"first_name":null,"last_name":null,'
            ~ '"email":null,"created_at":null,"unsubscribed":null,'
            ~ '"cio_subscription_preferences":null,"SegmentMembership":null}' ~ "'"
        ) }} as free_attributes
    from described
),

written as (
    select
        *,
        {{ json_merge(
            json_merge('free_attributes', "coalesce(audience_attributes, '{}')"),
            'own'
        ) }} as payload
    from freed
),

final as (
    select
        md5(person_id) as record_key,
        person_id,
        customer_id,
        email,
        cio_id,
        profile_key,
        -- Rows without an instant go first.
        case when not is_opted_out then updated_at end as occurred_at,
        '' as label,
        payload,
        md5(payload) as fingerprint,
        is_opted_out
    from written
)

select * from final
