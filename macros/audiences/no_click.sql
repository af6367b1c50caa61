{#-
    An audience of everyone who received messages that the condition `messages` says, by one of
    their instants, clicked none of that kind and ordered nothing, all in so many days. Who opted
    out of the channel `consent` is left out.
-#}
{%- macro people_who_received_without_click(messages, instant, days, consent, noun) -%}
with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and {{ messages }}
        and {{ in_window(instant, days, 'day') }}
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where {{ messages }} and {{ in_window('occurred_at', days, 'day') }}
),

recent_buyers as (
    select * from {{ ref('person_purchases') }}
    where {{ in_window('last_ordered_at', days, 'day') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of(consent) }}
),

received as (
    {{ received_people('deliveries', instant) }}
),

final as (
    select
        person_id,
        first_received_at as entered_at,
        last_received_at + interval {{ days }} day as expires_at,
        'received ' || cast(messages as {{ dbt.type_string() }})
        || ' {{ noun }} in {{ days }} days, clicked none and ordered nothing' as reason
    from received
    where
        person_id not in (select human_clicks.person_id from human_clicks)
        and person_id not in (select recent_buyers.person_id from recent_buyers)
        and person_id not in (select opted_out.person_id from opted_out)
)

select * from final
{%- endmacro -%}
