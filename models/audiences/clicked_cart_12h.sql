{{ people_who_clicked(
    "message_class = 'cart'", 12, 'hour', reason='clicked a cart message'
) }}
