{{ people_who_clicked_without_order(
    "message_class = 'cart'", 24, 'hour', after=6,
    consent='email', reason='clicked a cart message'
) }}
