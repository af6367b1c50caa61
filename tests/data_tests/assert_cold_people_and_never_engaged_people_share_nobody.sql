-- Who once clicked is not someone who never did.
select cold.person_id
from {{ ref('clicked_before_cold_60d') }} as cold
inner join {{ ref('never_clicked_60d') }} as never_engaged
    on cold.person_id = never_engaged.person_id
