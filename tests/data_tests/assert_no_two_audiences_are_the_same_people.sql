-- A warning: which of the two to keep is for people to say, or that both stay as siblings. Those of
-- fewer than 20 people are alike by chance.
{{ config(severity='warn') }}

select
    audience,
    other_audience,
    overlap
from {{ ref('audience_overlaps') }}
where
    overlap >= 0.9
    and people >= 20
    and audience || '|' || other_audience not in ({{ audience_siblings() }})
