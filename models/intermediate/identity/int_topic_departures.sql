-- The metric names no topic. A newsletter says of which topic it is; a campaign by a name at most,
-- which is for people to read, so its departures are known from people's preferences alone.
-- All of history: a departure may follow a message of any age.
with topic_unsubscribes as (
    select * from {{ ref('int_api_message_metrics') }}
    where metric = 'topic_unsubscribed'
),

deliveries as (
    select * from {{ ref('int_deliveries') }}
),

newsletters as (
    select * from {{ ref('stg_customerio__newsletters') }}
    where subscription_topic_id is not null
),

topics as (
    select * from {{ ref('stg_customerio__topics') }}
),

newest_newsletters as (
    select
        newsletter_id,
        max_by(subscription_topic_id, observed_at) as topic_id
    from newsletters
    group by newsletter_id
),

newest_topics as (
    select
        topic_id,
        max_by(topic, observed_at) as topic
    from topics
    group by topic_id
),

final as (
    select
        topic_unsubscribes.delivery_id,
        deliveries.profile_key,
        coalesce(newest_topics.topic, 'topic_' || newest_newsletters.topic_id) as topic,
        topic_unsubscribes.occurred_at
    from topic_unsubscribes
    inner join deliveries
        on topic_unsubscribes.delivery_id = deliveries.delivery_id
    inner join newest_newsletters
        on deliveries.newsletter_id = newest_newsletters.newsletter_id
    left join newest_topics
        on newest_newsletters.topic_id = newest_topics.topic_id
)

select * from final
