{{ people_who_received_without_click(
    "channel = 'email'", 'exposed_at', 14,
    consent='email', noun='e-mails'
) }}
