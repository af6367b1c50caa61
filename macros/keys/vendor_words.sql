{#- One word for a kind of message, whichever feed says it: `twilio` is SMS, `in-app` is in_app. -#}
{%- macro normalise_object_type(object_type) -%}
    case replace(lower(trim({{ object_type }})), '-', '_')
        when 'twilio' then 'sms'
        else replace(lower(trim({{ object_type }})), '-', '_')
    end
{%- endmacro -%}

{#- One word for what happened: what people read as Suppressed is `dropped` in every feed here. -#}
{%- macro normalise_metric(metric) -%}
    case replace(lower(trim({{ metric }})), '-', '_')
        when 'suppressed' then 'dropped'
        else replace(lower(trim({{ metric }})), '-', '_')
    end
{%- endmacro -%}

{#- An instant of the exports; the first second of 1970 stands for one that is not known. -#}
{%- macro known_instant(instant) -%}
    nullif({{ instant }}, cast('1970-01-01 00:00:00' as timestamp))
{%- endmacro -%}

{#-
    Metrics that a message may reach several times. Every other one it reaches once, so the first
    of one feed is the first of another, even where their clocks differ.
-#}
{%- macro is_repeatable(metric) -%}
    {{ metric }} not in (
        'drafted', 'sent', 'delivered', 'bounced', 'dropped', 'undeliverable', 'failed',
        'unsubscribed', 'spammed', 'topic_unsubscribed'
    )
{%- endmacro -%}

{#- The feeds of a group of rows in one text, in the order of the alphabet: `api,export,webhook`. -#}
{%- macro told_by(feed) -%}
    concat_ws(
        ',',
        max(case when {{ feed }} = 'api' then 'api' end),
        max(case when {{ feed }} = 'export' then 'export' end),
        max(case when {{ feed }} = 'webhook' then 'webhook' end)
    )
{%- endmacro -%}
