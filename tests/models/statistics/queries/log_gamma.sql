select {{ log_gamma('x') }} as value from arguments order by i
