with {{ survival_results('answers', 'arguments', 'arm', 'duration', 'horizon') }}

select * from answers
order by i
