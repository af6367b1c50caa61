{{ people_who_clicked(
    "is_promotional", 24, 'hour', reason='clicked a promotion'
) }}
