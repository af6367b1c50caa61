-- They bought before the click, and nothing since.
{{ people_who_clicked_without_order(
    "channel = 'sms'", 14, 'day', buyers_only=true,
    consent='sms', reason='clicked an SMS'
) }}
