{#-
    What new loads touch. An incremental model forgets the touched keys and computes them again from
    everything known of them, so that it always equals one full refresh: forgetting by what was
    touched, not by what comes out, also removes a key that has nothing left.

    What is touched is found once, and lies in a table beside the model while it is built; with
    `is_kept`, so do the rows that were there. With `since`, a query for an instant before which
    nothing of what is touched lies, nothing before it is looked through; `at` is the column of the
    model's own rows.
-#}
{%- macro forget_touched(key, touched, is_kept=false, since=none, at=none) -%}
    {%- if is_incremental() -%}
    {%- set within = not_before_touched(at) if at else 'true' -%}
    create or replace table {{ beside('touched') }} as
    select touched.touched_key
    from ({{ touched }}) as touched
    where touched.touched_key is not null
    group by touched.touched_key;
    {%- if since %}

    {{ remember_instant(since_name(), since) }}
    {%- endif %}
    {%- if is_kept %}

    create or replace table {{ beside('kept') }} as
    {{ few_rows(this, key ~ ' in (' ~ touched_keys() ~ ')', within) }};
    {%- endif %}

    delete from {{ this }} where {{ key }} in ({{ touched_keys() }})
        and {{ within }};
    {%- endif -%}
{%- endmacro -%}

{#- A query for the keys that were found. -#}
{%- macro touched_keys() -%}
    select found.touched_key from {{ beside('touched') }} as found
{%- endmacro -%}

{#- Whether an instant is late enough for a row of what is touched; true where that is not known. -#}
{%- macro not_before_touched(at) -%}
    {{ return(not_before_remembered(at, since_name())) }}
{%- endmacro -%}

{%- macro since_name() -%}
    {{ return(this.identifier ~ '__since') }}
{%- endmacro -%}

{#- Post-hook: what was found has been computed again. -#}
{%- macro drop_touched() -%}
    {%- if is_incremental() -%}
    drop table if exists {{ beside('touched') }};
    drop table if exists {{ beside('kept') }};
    drop table if exists {{ beside('again') }};
    {%- endif -%}
{%- endmacro -%}

{#-
    Pre-hook: all that is told of the kept deliveries that more than webhooks tell of. A table of its
    own, because an engine that shares one reading with that of new loads would read everything.
-#}
{%- macro read_again(reports) -%}
    {%- if is_incremental() -%}
    create or replace table {{ beside('again') }} as
    select * from {{ reports }}
    where
        delivery_id in (
            select kept.delivery_id from {{ beside('kept') }} as kept
            where kept.feeds <> 'webhook'
        )
    {%- endif -%}
{%- endmacro -%}

{#- A table of a model's own while it is built. -#}
{%- macro beside(name) -%}
    {{ return(api.Relation.create(
        database=this.database, schema=this.schema, identifier=this.identifier ~ '__' ~ name
    )) }}
{%- endmacro -%}

{#-
    What new loads say something about, of whatever feed: deliveries by their id, and events that
    have no delivery by their own. Loads count once the `upstream` model has taken them.
-#}
{%- macro touched_messages(upstream) -%}
    {%- set loads = loads_to_take('customerio', upstream=upstream) -%}
    select coalesce(delivery_id, event_id) as touched_key
    from {{ ref('stg_customerio__webhook_events') }}
    where load_id in ({{ loads }})

    union all

    {{ touched_exported_messages(loads) }}

    union all

    select delivery_id
    from {{ ref('stg_customerio__api_messages') }}
    where load_id in ({{ loads }})
{%- endmacro -%}

{%- macro touched_exported_messages(loads) -%}
    select delivery_id
    from {{ ref('stg_customerio__export_deliveries') }}
    where load_id in ({{ loads }})

    union all

    select delivery_id
    from {{ ref('stg_customerio__export_metrics') }}
    where load_id in ({{ loads }})
{%- endmacro -%}

{#-
    A query for an instant before which nothing lies of what is touched; null where there may be
    anything. What webhooks have told stands, and a delivery's first instant lies in its header: so
    a run each hour looks through some days, not through years. Other feeds may take an instant back
    that they told. An event without a delivery is touched by itself alone; of those that are touched
    without any load, `kept` tells.
-#}
{%- macro touched_since(upstream, kept=none) -%}
    select case when not bool_or(touched.is_told_elsewhere) then min(touched.happened_at) end
    from (
        select
            headers.first_reported_at as happened_at,
            headers.feeds <> 'webhook' as is_told_elsewhere
        from {{ ref('int_delivery_headers') }} as headers
        where headers.delivery_id in ({{ touched_keys() }})

        union all

        -- a metric may come before its delivery
        select
            cast(null as timestamp) as happened_at,
            true as is_told_elsewhere
        from {{ ref('stg_customerio__export_metrics') }}
        where delivery_id in ({{ touched_keys() }})

        union all

        select
            occurred_at as happened_at,
            false as is_told_elsewhere
        from {{ ref('stg_customerio__webhook_events') }}
        where
            delivery_id is null
            and load_id in ({{ loads_to_take('customerio', upstream=upstream) }})
        {%- if kept %}

        union all

        select
            kept.occurred_at as happened_at,
            false as is_told_elsewhere
        from {{ kept }} as kept
        where kept.delivery_id is null and kept.event_id in ({{ touched_keys() }})
        {%- endif %}
    ) as touched
{%- endmacro -%}

{#- Orders with a version in a load that this model has yet to take. -#}
{%- macro touched_orders() -%}
    select order_id as touched_key
    from {{ source('commerce', 'orders') }}
    where _dlt_load_id in ({{ loads_to_take('commerce') }})
{%- endmacro -%}

{#- Deliveries of the App API in a load that this model has yet to take. -#}
{%- macro touched_api_messages() -%}
    select delivery_id as touched_key
    from {{ ref('stg_customerio__api_messages') }}
    where load_id in ({{ loads_to_take('customerio') }})
{%- endmacro -%}

{#-
    Messages that loads touch, and those about which something else has changed: who a profile is,
    whom an experiment holds out, what a message is for. No load tells of these changes, so what
    was looked up is compared for every message, in the four columns it lies in.
-#}
{%- macro touched_person_deliveries() -%}
    {{ touched_messages('int_deliveries') }}

    union all

    select kept.delivery_id
    from {{ this }} as kept
    left join {{ ref('int_profile_people') }} as profile_people
        on kept.profile_key = profile_people.profile_key
    left join {{ ref('int_ghost_deliveries') }} as ghost_deliveries
        on kept.delivery_id = ghost_deliveries.delivery_id
    left join {{ ref('int_message_classes') }} as message_classes
        on kept.message_key = message_classes.message_key
    where
        kept.person_id is distinct from profile_people.person_id
        or kept.is_ghost <> (ghost_deliveries.delivery_id is not null)
        or kept.message_class is distinct from message_classes.message_class
        or kept.is_promotional is distinct from message_classes.is_promotional
{%- endmacro -%}

{#-
    Responses to messages that loads touch, and those whose person, or whose message's arm, is another
    than before.
-#}
{%- macro touched_responses() -%}
    {{ touched_messages('int_message_events') }}

    union all

    select coalesce(kept.delivery_id, kept.event_id)
    from {{ this }} as kept
    left join {{ ref('int_profile_people') }} as profile_people
        on kept.profile_key = profile_people.profile_key
    left join {{ ref('int_ghost_deliveries') }} as ghost_deliveries
        on kept.delivery_id = ghost_deliveries.delivery_id
    where
        kept.person_id is distinct from profile_people.person_id
        or kept.is_ghost <> (ghost_deliveries.delivery_id is not null)
{%- endmacro -%}

{#-
    People of whom an incremental relation has rows of builds that this model has yet to take, and
    people this model has as theirs what is somebody else's there now; and from which second on
    anything about their messages may differ. The columns are those of this model in which a
    delivery's id and the instant lie.
-#}
{%- macro touched_people(upstream, id='delivery_id', at='exposed_at') -%}
    select
        touched.person_id as touched_key,
        {{ dbt.date_trunc('second', 'min(touched.happened_at)') }} as since
    from (
        select
            new.person_id,
            new.exposed_at as happened_at
        from {{ upstream }} as new
        where new.build_id not in ({{ taken_builds(upstream) }})

        union all

        select
            kept.person_id,
            kept.{{ at }} as happened_at
        from {{ this }} as kept
        where
            kept.{{ id }} in (
                select new.delivery_id
                from {{ upstream }} as new
                where new.build_id not in ({{ taken_builds(upstream) }})
            )
    ) as touched
    where touched.person_id is not null and touched.happened_at is not null
    group by touched.person_id
{%- endmacro -%}

{#-
    The same for contacts on all channels: days in paid audiences come and go without a build that
    tells, so what is kept of them is compared; and who was counted within other days is counted
    again.
-#}
{%- macro touched_contacts(upstream, paid_contacts, days) -%}
    select
        touched.touched_key,
        min(touched.since) as since
    from (
        {{ touched_people(upstream, id='touch_id', at='touched_at') }}

        union all

        select
            paid.person_id as touched_key,
            cast(paid.active_on as timestamp) as since
        from {{ paid_contacts }} as paid
        where
            {{ paid_touch_id('paid') }} not in (
                select kept.touch_id from {{ this }} as kept
                where kept.touch_kind = 'paid_audience'
            )

        union all

        select
            kept.person_id as touched_key,
            kept.touched_at as since
        from {{ this }} as kept
        where
            kept.budget_days <> {{ days }}
            or (
                kept.touch_kind = 'paid_audience'
                and kept.touch_id not in (
                    select {{ paid_touch_id('paid') }} from {{ paid_contacts }} as paid
                )
            )
    ) as touched
    group by touched.touched_key
{%- endmacro -%}

{#- A day in a paid audience of a platform, as a contact. -#}
{%- macro paid_touch_id(contacts) -%}
    {{ contacts }}.platform
    || '|' || cast({{ contacts }}.active_on as {{ dbt.type_string() }})
    || '|' || {{ contacts }}.person_id
{%- endmacro -%}

{#-
    Pre-hook of a model in which a message depends on those before it, and on none after: forgets the
    touched people's messages from where they differ. What is touched lies in a table beside it.
-#}
{%- macro forget_since(touched, id='delivery_id', at='exposed_at') -%}
    {%- if is_incremental() -%}
    create or replace table {{ beside('touched') }} as
    {{ touched }};

    delete from {{ this }}
    where
        {{ row_name(id) }} in (
            select kept.{{ row_name(id) }}
            from {{ this }} as kept
            inner join {{ beside('touched') }} as touched
                on kept.person_id = touched.touched_key and kept.{{ at }} >= touched.since
        );
    {%- endif -%}
{%- endmacro -%}
