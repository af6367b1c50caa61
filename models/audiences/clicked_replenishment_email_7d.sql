{{ people_who_clicked(
    "channel = 'email' and message_class = 'replenishment'", 7, 'day', reason='clicked a replenishment e-mail'
) }}
