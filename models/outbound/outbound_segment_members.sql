{% set given = var('segment_labels') %}

with mirrored_segments as (
    select * from {{ ref('mirrored_segments') }}
),

people as (
    select * from {{ ref('people') }}
),

segments as (
    select
        segment_id,
        max(coalesce(segment_name, segment_id)) as segment_name
    from mirrored_segments
    group by segment_id
),

-- Customer.io lets two segments bear one name: the older keeps it, so that a new one moves nobody.
ranked as (
    select
        segment_id,
        segment_name,
        row_number() over (
            partition by lower(segment_name)
            order by {{ dbt.safe_cast('segment_id', 'bigint') }} nulls last, segment_id
        ) as name_rank
    from segments
),

named as (
    select
        segment_id,
        segment_name,
        case
            when lower(segment_name) like 'cio | %' then ''
            else 'CIO | '
        end
        || segment_name
        || case when name_rank > 1 then ' #' || segment_id else '' end as prefixed_name
    from ranked
),

labels as (
    select
        segment_id,
        segment_name,
        {% if given -%}
        case segment_id
            {%- for segment_id, label in given.items() %}
            when {{ dbt.string_literal(dbt.escape_single_quotes(segment_id | string)) }}
                then {{ dbt.string_literal(dbt.escape_single_quotes(label)) }}
            {%- endfor %}
            else prefixed_name || ' | snapshot'
        end
        {%- else -%}
        prefixed_name || ' | snapshot'
        {%- endif %} as label
    from named
),

final as (
    select
        md5(mirrored_segments.person_id || '|segment:' || mirrored_segments.segment_id)
            as record_key,
        mirrored_segments.person_id,
        people.customer_id,
        people.email,
        people.cio_id,
        mirrored_segments.segment_id,
        labels.segment_name,
        labels.label,
        cast(null as timestamp) as occurred_at,
        '{}' as payload,
        md5(labels.label) as fingerprint
    from mirrored_segments
    inner join labels
        on mirrored_segments.segment_id = labels.segment_id
    inner join people
        on mirrored_segments.person_id = people.person_id
)

select * from final
