{#-
    An audience of everyone who clicked what the condition `clicks` says, `after` to `amount` units
    ago, and has ordered nothing since, for `reason`. With `buyers_only`, of people who had ordered
    before the click. Who opted out of the channel `consent` is left out.
-#}
{%- macro people_who_clicked_without_order(
    clicks, amount, unit, consent, reason, after=0, buyers_only=false
) -%}
with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where {{ clicks }} and {{ in_window('occurred_at', amount, unit, after=after) }}
),

person_purchases as (
    select * from {{ ref('person_purchases') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of(consent) }}
),

clicked as (
    {{ clicked_without_order_since('human_clicks', 'person_purchases', buyers_only=buyers_only) }}
),

final as (
    select
        person_id,
        first_clicked_at + interval {{ after }} {{ unit }} as entered_at,
        last_clicked_at + interval {{ amount }} {{ unit }} as expires_at,
        '{{ reason }} ' || cast(clicks as {{ dbt.type_string() }})
        || ' times and ordered nothing since' as reason
    from clicked
    where person_id not in (select opted_out.person_id from opted_out)
)

select * from final
{%- endmacro -%}
