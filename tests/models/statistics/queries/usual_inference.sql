with {{ t_inference('answers', 'arguments') }}
select * from answers order by i
