{#- Which instants of a row say since when and until when its identifiers were seen together. -#}
{%- set seen = {
    'customerio_identifiers': ('first_seen_at', 'last_seen_at'),
    'people': ('coalesce(created_at, updated_at)', 'coalesce(updated_at, created_at)'),
    'orders': ('ordered_at', 'ordered_at'),
    'assignments': ('assigned_at', 'assigned_at'),
    'mparticle_identifiers': ('first_seen_at', 'last_seen_at'),
    'segment_members': ('observed_at', 'observed_at'),
    'api_people': ('observed_at', 'observed_at'),
    'paid_audience_days': ('cast(active_on as timestamp)', 'cast(active_on as timestamp)'),
} -%}

with customerio_identifiers as (
    select * from {{ ref('int_customerio_identifiers') }}
),

people as (
    select * from {{ ref('stg_people__people') }}
),

orders as (
    select * from {{ ref('stg_commerce__orders') }}
    where version_rank = 1
),

assignments as (
    select * from {{ ref('stg_experiments__assignments') }}
),

mparticle_identifiers as (
    select * from {{ ref('int_mparticle_identifiers') }}
),

segment_members as (
    select * from {{ ref('int_segment_members') }}
),

api_people as (
    select * from {{ ref('stg_customerio__api_people') }}
),

paid_audience_days as (
    select * from {{ ref('stg_commerce__paid_audience_days') }}
),

every_source as (
    {%- for relation, (first_seen, last_seen) in seen.items() %}
    {{ 'union all' if not loop.first }}
    select
        profile_key,
        {%- if relation == 'mparticle_identifiers' %}
        cast(null as {{ dbt.type_string() }}) as cio_id,
        {%- else %}
        cio_id,
        {%- endif %}
        customer_id,
        email,
        {{ first_seen }} as first_seen_at,
        {{ last_seen }} as last_seen_at
    from {{ relation }}
    {%- endfor %}
),

final as (
    select
        profile_key,
        cio_id,
        customer_id,
        email,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from every_source
    where profile_key is not null
    group by profile_key, cio_id, customer_id, email
)

select * from final
