{{ people_who_clicked(
    "channel = 'email'", 7, 'day', reason='clicked an e-mail'
) }}
