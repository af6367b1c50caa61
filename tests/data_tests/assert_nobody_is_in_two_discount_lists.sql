-- Who is offered two discounts takes the larger, and expects one next time.
select
    person_id,
    first_list,
    last_list
from {{ ref('discount_conflicts') }}
where discount_lists > 1
