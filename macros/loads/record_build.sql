{#- Each build leaves a row: what it built, as of when, and whether everything passed. -#}
{%- macro record_build(results) -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set failures = results
            | selectattr('status', 'in', ['error', 'fail', 'runtime error', 'skipped', 'partial success'])
            | list | length -%}
        {%- set selection = (
            (invocation_args_dict.get('select') or []) | list
            + (invocation_args_dict.get('exclude') or []) | list
        ) | join(' ') -%}
        {#- Unit tests check the project, not the data; without anything else a build is not whole. -#}
        {%- set left_out = (invocation_args_dict.get('exclude_resource_types') or [])
            | map('string') | reject('equalto', 'unit_test') | list -%}
        {%- set is_whole = flags.WHICH == 'build' and not selection and not left_out
            and not invocation_args_dict.get('resource_types')
            and not invocation_args_dict.get('selector') -%}
        insert into {{ source('dbt', 'builds').render() }} (
            build_id, started_at, finished_at, as_of, is_as_of_given, target, schema_prefix,
            command, selection, is_whole, is_passed, models, failures
        )
        values (
            '{{ invocation_id }}',
            cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp),
            cast('{{ modules.datetime.datetime.now(modules.pytz.utc).strftime("%Y-%m-%d %H:%M:%S.%f") }}' as timestamp),
            {{ as_of() }},
            {{ 'true' if var('as_of', none) else 'false' }},
            '{{ target.name }}',
            '{{ schema_prefix() }}',
            '{{ flags.WHICH }}',
            '{{ selection | replace("'", "''") }}',
            {{ 'true' if is_whole else 'false' }},
            {{ 'true' if failures == 0 else 'false' }},
            {{ results | length }},
            {{ failures }}
        )
    {%- endif -%}
{%- endmacro -%}
