-- When it is late to buy again depends on what somebody bought; the seeds buying_cycles and
-- product_cycles say.
{{ people_in_stage('lapsed', 'did not buy again in its buying cycle') }}
