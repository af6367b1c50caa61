select {{ chi_square_upper_tail('x', 'df') }} as p from arguments order by i
