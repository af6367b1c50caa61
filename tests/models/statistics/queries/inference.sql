with {{ t_inference('answers', 'arguments', level=0.9) }}
select * from answers order by i
