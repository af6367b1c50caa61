-- The channels' lists are parts of the one that counts any channel.
with channel_clickers as (
    select person_id from {{ ref('clicked_email_7d') }}

    union all

    select person_id from {{ ref('clicked_sms_7d') }}
)

select channel_clickers.person_id
from channel_clickers
left join {{ ref('clicked_any_message_7d') }} as clickers
    on channel_clickers.person_id = clickers.person_id
where clickers.person_id is null
