with person_purchases as (
    select * from {{ ref('person_purchases') }}
    where orders = 1 and {{ in_window('first_ordered_at', 60, 'day', after=45) }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

final as (
    select
        person_id,
        first_ordered_at + interval 45 day as entered_at,
        first_ordered_at + interval 60 day as expires_at,
        'placed the only order 45 to 60 days ago' as reason
    from person_purchases
    where person_id not in (select opted_out.person_id from opted_out)
)

select * from final
