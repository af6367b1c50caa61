{{ people_who_clicked(
    "channel = 'sms'", 7, 'day', reason='clicked an SMS'
) }}
