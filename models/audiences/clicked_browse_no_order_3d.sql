{{ people_who_clicked_without_order(
    "message_class = 'browse'", 3, 'day',
    consent='email', reason='clicked a browse message'
) }}
