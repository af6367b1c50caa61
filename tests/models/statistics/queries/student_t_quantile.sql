with {{ student_t_quantile_ctes('answers', 'arguments', 'p', 'df') }}
select t_quantile from answers order by i
