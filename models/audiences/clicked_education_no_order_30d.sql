-- They bought before the click, and nothing since.
{{ people_who_clicked_without_order(
    "message_class = 'education'", 30, 'day', buyers_only=true,
    consent='email', reason='clicked an education message'
) }}
