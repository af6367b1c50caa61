{{ people_who_clicked_without_order(
    "message_class = 'replenishment'", 120, 'hour', after=48,
    consent='email', reason='clicked a replenishment message'
) }}
