{#-
    Incremental models are incremental over what was loaded. Each keeps the set of loads it has
    taken, in the load ledger, never a watermark: a killed and resumed load may add rows under an
    old id, and a `max()` would miss them.
-#}
{%- macro load_ledger() -%}
    {{ return(api.Relation.create(
        database=target.database,
        schema=generate_schema_name('intermediate', none),
        identifier='load_ledger'
    )) }}
{%- endmacro -%}

{%- macro create_load_ledger() -%}
    create schema if not exists {{ load_ledger().without_identifier() }};
    create table if not exists {{ load_ledger() }} (
        model {{ dbt.type_string() }},
        dataset {{ dbt.type_string() }},
        load_id {{ dbt.type_string() }}
    );
{%- endmacro -%}

{#- Loads of a dataset that are complete, and known at `known_at` when that is given. -#}
{%- macro complete_loads(source_name) -%}
    select load_id
    from {{ source(source_name, '_dlt_loads') }}
    where
        status = 0
        {%- if var('known_at', none) %}
        and inserted_at <= cast('{{ var("known_at") }}' as timestamptz)
        {%- endif %}
{%- endmacro -%}

{#- The same loads with when each was complete: of two versions without a time the later load's stands. -#}
{%- macro timed_loads(source_name) -%}
    select
        loads.load_id,
        max(loads.inserted_at) as loaded_at
    from {{ source(source_name, '_dlt_loads') }} as loads
    inner join ({{ complete_loads(source_name) }}) as complete
        on loads.load_id = complete.load_id
    group by loads.load_id
{%- endmacro -%}

{#-
    The loads this model has yet to take: complete loads of the dataset, or, with `upstream`, those
    the upstream incremental model has taken, less those in the ledger under this model's name.
    Every load on a full refresh.
-#}
{%- macro loads_to_take(source_name, upstream=none) -%}
    select candidates.load_id
    from (
        {%- if upstream %}
        select load_id
        from {{ load_ledger() }}
        where model = '{{ upstream }}' and dataset = '{{ source_name }}'
        {%- else %}
        {{ complete_loads(source_name) }}
        {%- endif %}
    ) as candidates
    {%- if is_incremental() %}
    where
        candidates.load_id not in (
            select taken.load_id
            from {{ load_ledger() }} as taken
            where taken.model = '{{ this.name }}' and taken.dataset = '{{ source_name }}'
        )
    {%- endif %}
{%- endmacro -%}

{#- Post-hook, in the model's own transaction: what was just taken is in the ledger, or nothing is. -#}
{%- macro record_loads(source_names, upstream=none) -%}
    {%- for source_name in source_names -%}
        {%- if not is_incremental() %}
    delete from {{ load_ledger() }}
    where model = '{{ this.name }}' and dataset = '{{ source_name }}';
        {%- endif %}
    insert into {{ load_ledger() }} (model, dataset, load_id)
    select '{{ this.name }}', '{{ source_name }}', load_id
    from ({{ loads_to_take(source_name, upstream) }}) as taken_now;
    {%- endfor -%}
{%- endmacro -%}

{#-
    The builds of another incremental model that this one has taken. Rows of that model say which
    build wrote them; the ledger keeps the builds under its name.
-#}
{%- macro taken_builds(upstream) -%}
    select taken.load_id
    from {{ load_ledger() }} as taken
    where taken.model = '{{ this.name }}' and taken.dataset = '{{ upstream.name }}'
{%- endmacro -%}

{#- Post-hook, in the model's own transaction: the ledger has the builds that are there now. -#}
{%- macro record_builds(upstream) -%}
    delete from {{ load_ledger() }}
    where model = '{{ this.name }}' and dataset = '{{ upstream.name }}';
    insert into {{ load_ledger() }} (model, dataset, load_id)
    select '{{ this.name }}', '{{ upstream.name }}', written.build_id
    from {{ upstream }} as written
    group by written.build_id;
{%- endmacro -%}
