{{ people_who_clicked_without_order(
    "message_class = 'cart'", 3, 'day',
    consent='email', reason='clicked a cart message'
) }}
