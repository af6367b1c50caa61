{#-
    Kaplan and Meier's curve and the area under it up to `horizon` (the restricted mean survival
    time) with the variance of that estimator. CTEs, the last one called `name`, over a relation of
    one row an arm (`keys`) and duration with `events` and `exits` (events and censored people
    together), durations up to the horizon. People censored at a duration were at risk at it.
-#}
{%- macro survival_results(name, relation, keys, duration, horizon) -%}
{%- set forward = 'partition by ' ~ keys ~ ' order by ' ~ duration -%}
{{ name }}_risks as (
    select
        *,
        cast(sum(exits) over (
            {{ forward }} desc rows between unbounded preceding and current row
        ) as double) as at_risk,
        cast(lead({{ duration }}) over ({{ forward }}) as double) as next_duration,
        row_number() over ({{ forward }}) as step
    from {{ relation }}
),

{{ name }}_curves as (
    select
        *,
        -- Once everyone at risk has had the event nobody is left, and the logarithm has no value.
        case
            when max(case when events >= at_risk then 1 else 0 end) over (
                {{ forward }} rows between unbounded preceding and current row
            ) = 1 then 0e0
            else exp(sum(
                case when events < at_risk then ln(1e0-events/at_risk) else 0e0 end
            ) over ({{ forward }} rows between unbounded preceding and current row))
        end as survival,
        events/nullif(at_risk*(at_risk-events),0e0) as hazard_variance
    from {{ name }}_risks
),

{{ name }}_areas as (
    select
        *,
        survival*(coalesce(next_duration,cast({{ horizon }} as double))-{{ duration }}) as area,
        sum(coalesce(hazard_variance,0e0)) over (
            {{ forward }} rows between unbounded preceding and current row
        ) as greenwood
    from {{ name }}_curves
),

{{ name }}_remainders as (
    select
        *,
        sum(area) over (
            {{ forward }} desc rows between unbounded preceding and current row
        ) as area_ahead,
        max({{ duration }}) over (partition by {{ keys }}) as last_duration,
        min(survival) over (partition by {{ keys }}) as last_survival
    from {{ name }}_areas
),

{{ name }} as (
    select
        *,
        -- Beyond the last person followed nothing is known of the curve, unless it is at 0.
        case when last_duration >= {{ horizon }} or last_survival = 0e0 then
            sum(area+case when step = 1 then cast({{ duration }} as double) else 0e0 end)
            over (partition by {{ keys }})
        end as restricted_mean,
        sum(power(area_ahead,2e0)*coalesce(hazard_variance,0e0))
            over (partition by {{ keys }}) as restricted_mean_variance
    from {{ name }}_remainders
)
{%- endmacro -%}


{#- The 95 % interval of the curve at a step, from ln(-ln S) and Greenwood's sum, so that it stays
    between 0 and 1 (J. Kalbfleisch and R. Prentice, 1980). Null before the first event and once
    everyone has had one: there nothing tells how far it may be off. -#}
{%- macro survival_bound(side, survival, greenwood, z=none) -%}
    {%- set z = double_literal(z or normal_critical_value()) -%}
    (case when {{ survival }} > 0e0 and {{ survival }} < 1e0 then
        exp(ln({{ survival }})*exp({{ side }}{{ z }}*sqrt({{ greenwood }})/ln({{ survival }})))
    end)
{%- endmacro -%}


{%- macro survival_low(survival, greenwood, z=none) -%}
    {{ survival_bound('-', survival, greenwood, z) }}
{%- endmacro -%}


{%- macro survival_high(survival, greenwood, z=none) -%}
    {{ survival_bound('+', survival, greenwood, z) }}
{%- endmacro -%}


{#- CTEs that hold the restricted means of `experiment_survival` against those of the holdout, the
    last one called `name`: an estimate a treated arm, tested as normal. -#}
{%- macro restricted_mean_results(name, survival, arms) -%}
{{ name }}_controls as (
    select
        experiment_id,
        arm
    from {{ arms }}
    where is_control
    group by experiment_id, arm
),

{{ name }}_arms as (
    select
        survival.experiment_id,
        survival.arm,
        survival.window_hours,
        max(survival.people_at_risk) as people,
        sum(survival.people_ordering) as nonzero_people,
        max(survival.restricted_mean_days) as mean,
        max(survival.restricted_mean_variance) as variance,
        bool_or(controls.arm is not null) as is_control
    from {{ survival }} as survival
    left join {{ name }}_controls as controls
        on
            survival.experiment_id = controls.experiment_id
            and survival.arm = controls.arm
    group by survival.experiment_id, survival.arm, survival.window_hours
),

{{ name }}_effects as (
    select
        treated.experiment_id,
        treated.arm,
        control.arm as control_arm,
        treated.window_hours,
        treated.people,
        control.people as control_people,
        least(treated.nonzero_people, control.nonzero_people) as converters,
        treated.mean,
        control.mean as control_mean,
        treated.mean - control.mean as effect,
        nullif(sqrt(treated.variance + control.variance), 0e0) as standard_error
    from {{ name }}_arms as treated
    inner join {{ name }}_arms as control
        on treated.experiment_id = control.experiment_id
    where control.is_control and not treated.is_control
),

{{ name }} as (
    select
        experiment_id,
        arm,
        control_arm,
        'days_to_next_order' as metric,
        window_hours,
        'all' as segment,
        'rmst' as method,
        people,
        control_people,
        mean,
        control_mean,
        effect,
        standard_error,
        effect - {{ normal_critical_value() }} * standard_error as ci_low,
        effect + {{ normal_critical_value() }} * standard_error as ci_high,
        {{ normal_two_sided_p('(effect / standard_error)') }} as p_value,
        {{ relative_effect('mean', 'control_mean') }} as relative_effect,
        cast(null as double) as relative_ci_low,
        cast(null as double) as relative_ci_high,
        converters
    from {{ name }}_effects
    where effect is not null
)
{%- endmacro -%}
