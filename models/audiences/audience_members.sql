-- Every audience in one relation, so that one sync can carry many. The list is the variable
-- `audiences`. Whom no tool could be told of, such as a user without a login, is in none.
with people as (
    select * from {{ ref('people') }}
),

members as (
    {%- for audience in var('audiences') %}
    {{ 'union all' if not loop.first }}
    select
        '{{ audience }}' as audience,
        '{{ audience_label(audience) }}' as label,
        person_id,
        entered_at,
        expires_at,
        reason
    from {{ ref(audience) }}
    {%- endfor %}
),

final as (
    select
        members.audience,
        members.label,
        members.person_id,
        members.entered_at,
        members.expires_at,
        members.reason
    from members
    inner join people
        on members.person_id = people.person_id
)

select * from final
