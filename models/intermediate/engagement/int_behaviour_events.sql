{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('behaviour_event_id', touched_behaviour_events()) }}",
        post_hook=["{{ record_loads(['mparticle']) }}", "{{ drop_touched() }}"]
    )
}}

with events as (
    select * from {{ ref('stg_mparticle__events') }}
    {% if is_incremental() -%}
    -- A batch may come again at any time, so every version of a touched event is read again.
    where event_key in ({{ touched_behaviour_event_keys() }})
    {%- endif %}
),

-- Versions differ, if at all, in who is named: a user may have logged in before the batch came
-- again. The one that names most stands, and then the text decides, so that the order of loading
-- never does.
ranked as (
    select
        *,
        row_number() over (
            partition by behaviour_event_id
            order by
                profile_key nulls last,
                customer_id nulls last,
                email nulls last,
                device_id nulls last,
                session_id nulls last,
                batch_id nulls last,
                environment nulls last,
                event_id nulls last,
                payload_hash nulls last
        ) as version_rank
    from events
),

final as (
    select
        behaviour_event_id,
        event_id,
        batch_id,
        session_id,
        profile_key,
        customer_id,
        email,
        mpid,
        device_id,
        transaction_id,

        event_type,
        event_name,
        outgoing_name,
        custom_event_type,
        product_action,
        product_ids,
        product_categories,
        products,
        attributes,
        environment,

        occurred_at,

        currency,
        amount,

        is_purchase
    from ranked
    where version_rank = 1
)

select * from final
