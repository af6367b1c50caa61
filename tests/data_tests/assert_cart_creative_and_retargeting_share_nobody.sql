-- Who is shown the cart creative must not be followed by the generic one as well.
select cart.person_id
from {{ ref('clicked_cart_email_no_order_24h') }} as cart
inner join {{ ref('retargeting_3d') }} as retargeting
    on cart.person_id = retargeting.person_id
