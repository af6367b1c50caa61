{{ people_who_clicked_without_order(
    "channel = 'email' and message_class = 'cart'", 24, 'hour',
    consent='email', reason='clicked a cart e-mail'
) }}
