with topics as (
    select * from {{ ref('stg_customerio__topics') }}
),

person_topics as (
    select * from {{ ref('person_topics') }}
),

stated as (
    select
        topic,
        count(*) filter (where is_subscribed) as people_subscribed,
        count(*) filter (where not is_subscribed) as people_unsubscribed
    from person_topics
    group by topic
),

final as (
    select
        coalesce(topics.topic, stated.topic) as topic,
        topics.name,
        topics.is_subscribed_by_default,
        coalesce(stated.people_subscribed, 0) as people_subscribed,
        coalesce(stated.people_unsubscribed, 0) as people_unsubscribed
    from topics
    full outer join stated
        on topics.topic = stated.topic
)

select * from final
