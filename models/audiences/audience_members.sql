-- Every audience in one relation, so that one sync can carry many. The list is the variable
-- `audiences`.
with members as (
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
        audience,
        label,
        person_id,
        entered_at,
        expires_at,
        reason
    from members
)

select * from final
