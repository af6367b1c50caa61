{#-
    An audience of everyone in a stage of a buying cycle, for `reason`. Who is in it for several
    kinds of product leaves with the last; who ordered anything in the last 3 days is left alone.
-#}
{%- macro people_in_stage(stage, reason) -%}
with replenishment_stages as (
    select * from {{ ref('replenishment_stages') }}
    where stage = '{{ stage }}'
),

recent_buyers as (
    select * from {{ ref('person_purchases') }}
    where {{ in_window('last_ordered_at', 3, 'day') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

staged as (
    select
        person_id,
        min(entered_at) as entered_at,
        max(ends_at) as expires_at,
        {{ dbt.listagg('product_category', "', '", 'order by product_category') }} as categories
    from replenishment_stages
    group by person_id
),

final as (
    select
        person_id,
        entered_at,
        expires_at,
        '{{ reason }}: ' || categories as reason
    from staged
    where
        person_id not in (select recent_buyers.person_id from recent_buyers)
        and person_id not in (select opted_out.person_id from opted_out)
)

select * from final
{%- endmacro -%}
