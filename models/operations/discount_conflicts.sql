{%- set audiences = discount_audiences() -%}

with audience_members as (
    select * from {{ ref('audience_members') }}
    where audience in ('' {%- for audience in audiences %}, '{{ audience }}'{% endfor %})
),

incentive_ledger as (
    select * from {{ ref('incentive_ledger') }}
    where incentive_status = 'holds'
),

listed as (
    select
        person_id,
        count(*) as discount_lists,
        min(audience) as first_list,
        max(audience) as last_list
    from audience_members
    group by person_id
),

final as (
    select
        listed.person_id,
        listed.discount_lists,
        listed.first_list,
        listed.last_list,
        incentive_ledger.incentive_id as held_incentive_id,
        case
            when listed.discount_lists > 1 then 'in several discount lists'
            else 'in a discount list and holds one by a message'
        end as finding
    from listed
    left join incentive_ledger
        on listed.person_id = incentive_ledger.person_id
    where listed.discount_lists > 1 or incentive_ledger.person_id is not null
)

select * from final
