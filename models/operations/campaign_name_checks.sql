-- Names are for people, and people find their way by a convention. Logic never reads them.
with message_names as (
    select * from {{ ref('int_message_names') }}
),

final as (
    select
        object_kind,
        object_id,
        object_name,
        case
            when {{ matches_pattern('object_name', var('message_name_pattern')) }} then 'follows'
            when object_name <> trim(object_name) then 'has spaces around it'
            when lower(object_name) <> object_name then 'has capital letters'
            when object_name like '% %' then 'has spaces'
            else 'is not words joined by underscores'
        end as finding,
        {{ matches_pattern('object_name', var('message_name_pattern')) }} as follows_convention
    from message_names
)

select * from final
