with mirrored_audiences as (
    select * from {{ ref('mirrored_audiences') }}
),

-- Who left every audience has an empty list: without it the old one would stay where it was sent.
memberships as (
    select
        person_id,
        coalesce({{ dbt.listagg(
            "case when is_member then '''' || audience_id || '''' end",
            "','",
            "order by audience_id"
        ) }}, '') as audience_ids
    from mirrored_audiences
    group by person_id
),

named_audiences as (
    select
        person_id,
        'In ' || audience_name as attribute_name,
        bool_or(is_member) as is_member
    from mirrored_audiences
    where audience_name is not null
    group by person_id, audience_name
),

audience_attributes as (
    select
        person_id,
        {{ json_collect('attribute_name', 'is_member') }} as attributes
    from named_audiences
    group by person_id
),

final as (
    select
        memberships.person_id,
        memberships.audience_ids,
        coalesce(audience_attributes.attributes, '{}') as attributes
    from memberships
    left join audience_attributes
        on memberships.person_id = audience_attributes.person_id
)

select * from final
