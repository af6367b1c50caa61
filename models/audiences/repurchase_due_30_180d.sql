-- How long after buying somebody is due depends on what they bought; the seeds buying_cycles and
-- product_cycles say.
{{ people_in_stage('due', 'is due to buy again, by its buying cycle') }}
