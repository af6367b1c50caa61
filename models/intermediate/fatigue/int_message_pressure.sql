{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_since(touched_people(ref('int_person_deliveries'))) }}",
        post_hook=["{{ record_builds(ref('int_person_deliveries')) }}", "{{ drop_touched() }}"]
    )
}}

{%- set windows = [1, 7, 14, 30] -%}
{%- set sides = {'': 'person_id', 'class_': 'person_id, promotes'} %}

-- Which message it was to the person, counted in two ways. Rolling: among those of the days that
-- end with it. Fixed: among those of its period, where periods of that many days follow one another
-- from the person's first message. One pass; no message is joined to another. What is counted is
-- written so that all windows share two orders, by time alone and by time and id: each order of its
-- own is one more sort of every message there is.
with person_deliveries as (
    select * from {{ ref('int_person_deliveries') }}
    where
        person_id is not null
        and exposed_at is not null
        and not is_ghost
),

-- Read for itself: what is read once for two uses is read whole.
exposures as (
    select
        person_id,
        exposed_at
    from {{ ref('int_person_deliveries') }}
    where not is_ghost
),

{% if is_incremental() -%}
touched as (
    select * from {{ beside('touched') }}
),

{% endif -%}
first_exposures as (
    select
        exposures.person_id,
        min(exposures.exposed_at) as first_exposed_at
    from exposures
    {% if is_incremental() -%}
    inner join touched
        on exposures.person_id = touched.touched_key
    {% endif -%}
    group by exposures.person_id
),

-- A message that comes late moves the numbers of those after it, so a touched person's are counted
-- again from there on, among those of the longest window before.
deliveries as (
    select
        person_deliveries.delivery_id,
        person_deliveries.person_id,
        person_deliveries.channel,
        person_deliveries.message_class,
        person_deliveries.exposed_at,
        person_deliveries.first_human_clicked_at,
        person_deliveries.unsubscribed_at,
        person_deliveries.spammed_at,
        {% if is_incremental() -%}
        touched.since,
        {% endif -%}
        coalesce(person_deliveries.is_promotional, false) as promotes
    from person_deliveries
    {% if is_incremental() -%}
    inner join touched
        on
            person_deliveries.person_id = touched.touched_key
            and person_deliveries.exposed_at
            >= touched.since - interval {{ windows[-1] + 1 }} day
    {%- endif %}
),

aged as (
    select
        deliveries.*,
        {{ dbt.datediff(
            'first_exposures.first_exposed_at', 'deliveries.exposed_at', 'second'
        ) }} as seconds
    from deliveries
    inner join first_exposures
        on deliveries.person_id = first_exposures.person_id
),

-- By whole seconds, in which messages of one second are of one age.
counted as (
    select
        {%- for side, partition in sides.items() %}
        {%- for days in windows %}
        count(*) over (
            partition by {{ partition }}
            order by seconds
            range between unbounded preceding and {{ days * 86400 + 1 }} preceding
        ) as {{ side ~ 'before_' ~ days ~ 'd' }},
        {%- endfor %}
        count(*) over (
            partition by {{ partition }}
            order by seconds
            range between unbounded preceding and 1 preceding
        ) as {{ side ~ 'earlier' }},
        max(seconds) over (
            partition by {{ partition }}
            order by seconds
            range between unbounded preceding and 1 preceding
        ) as {{ side ~ 'earlier_seconds' }},
        {%- endfor %}
        *
    from aged
),

-- The first second of a period knows how many came before the period; the rest of it remembers.
numbered as (
    select
        {%- for side, partition in sides.items() %}
        row_number() over (
            partition by {{ partition }}
            order by seconds, delivery_id
        ) as {{ side ~ 'number' }},
        {%- for days in windows %}
        max(
            case
                when
                    {{ side ~ 'earlier_seconds' }} is null
                    or floor({{ side ~ 'earlier_seconds' }} / {{ days * 86400 }})
                    < floor(seconds / {{ days * 86400 }})
                    then {{ side ~ 'earlier' }}
            end
        ) over (
            partition by {{ partition }}
            order by seconds, delivery_id
            rows between unbounded preceding and current row
        ) as {{ side ~ 'period_before_' ~ days ~ 'd' }},
        {%- endfor %}
        {%- endfor %}
        *
    from counted
),

final as (
    select
        delivery_id,
        person_id,
        channel,
        message_class,
        exposed_at,
        first_human_clicked_at,
        unsubscribed_at,
        spammed_at,
        {%- for days in windows %}
        number - before_{{ days }}d as number_{{ days }}d,
        class_number - class_before_{{ days }}d as class_number_{{ days }}d,
        number - period_before_{{ days }}d as period_number_{{ days }}d,
        class_number - class_period_before_{{ days }}d as class_period_number_{{ days }}d,
        {%- endfor %}
        promotes as is_promotional
    from numbered
    {% if is_incremental() -%}
    where exposed_at >= since
    {%- endif %}
)

select * from final
