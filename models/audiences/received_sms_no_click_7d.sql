{{ people_who_received_without_click(
    "channel = 'sms'", 'delivered_at', 7,
    consent='sms', noun='SMS'
) }}
