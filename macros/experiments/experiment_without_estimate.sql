{#- The select list of a result without a number, without its `from`: what it selects from has the
    verdict and the reason. -#}
{%- macro experiment_without_estimate() -%}
    select
        experiment_id,
        'none' as arm,
        cast(null as {{ dbt.type_string() }}) as control_arm,
        metric,
        family,
        window_hours,
        'all' as segment,
        'none' as method,
        cast(null as bigint) as people,
        cast(null as bigint) as control_people,
        {%- for column in [
            'mean', 'control_mean', 'effect', 'standard_error', 'ci_low', 'ci_high', 'p_value',
            'p_value_bh', 'p_value_holm', 'relative_effect', 'relative_ci_low', 'relative_ci_high',
            'incremental_total', 'incremental_ci_low', 'incremental_ci_high', 'incremental_share',
            'people_for_one_more', 'chance_it_helps'
        ] %}
        cast(null as double) as {{ column }},
        {%- endfor %}
        true as is_headline,
        verdict,
        reason
{%- endmacro -%}


{#- What an interval says, and why, as two columns. `converters` is the smaller arm's number of
    people with any; null where the metric has no such number. -#}
{%- macro experiment_verdict(ci_low, ci_high, better, converters) -%}
    {%- set fewest = var('verdict_minimum_converters') -%}
    {%- set careful = var('verdict_careful_converters') -%}
    case
        when {{ ci_low }} is null then 'no verdict'
        when {{ converters }} < {{ fewest }} then 'no verdict'
        when {{ ci_low }} <= 0 and {{ ci_high }} >= 0 then 'no clear effect'
        when {{ better }} = 'neither' and {{ ci_low }} > 0 then 'higher'
        when {{ better }} = 'neither' then 'lower'
        when ({{ ci_low }} > 0) = ({{ better }} = 'higher') then 'helps'
        else 'hurts'
    end as verdict,
    case
        when {{ ci_low }} is null then 'nothing varies in the arms'
        when {{ converters }} < {{ fewest }}
            then 'fewer than {{ fewest }} people in an arm have any'
        when {{ ci_low }} > 0 then 'the whole 95 % interval lies above 0'
        when {{ ci_high }} < 0 then 'the whole 95 % interval lies below 0'
        else 'the 95 % interval includes 0'
    end
    || case
        when {{ ci_low }} is not null and {{ converters }} between {{ fewest }} and {{ careful - 1 }}
            then '; fewer than {{ careful }} people in an arm have any'
        else ''
    end as reason
{%- endmacro -%}
