-- A word of `covers` is `all`, the name of a sync, or the id of a campaign of Customer.io's, which
-- is a number. Anything else covers nothing, and who is held out would be reached all the same.
{%- set syncs = graph.exposures.values() | map(attribute='name') | list if execute else [] %}

select
    experiment_id,
    covered
from {{ ref('int_experiment_covers') }}
where
    covered <> 'all'
    and not {{ matches_pattern('covered', '[0-9]+') }}
    {%- for sync in syncs %}
    and covered <> '{{ sync }}'
    {%- endfor %}
