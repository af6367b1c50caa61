{{ people_who_clicked(
    "channel = 'sms'", 14, 'day', reason='clicked an SMS'
) }}
