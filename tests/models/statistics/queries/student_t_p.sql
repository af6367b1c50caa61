with {{ student_t_two_sided_p_ctes('answers', 'arguments', 't', 'df') }}
select p_value from answers order by i
