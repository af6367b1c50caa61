{#- The select list of one check of an experiment, without its `from`. A check that fails vetoes what
    `vetoes` says. -#}
{%- macro health_check(name, status, value, threshold, detail, vetoes='all metrics') -%}
    select
        experiment_id,
        '{{ name }}' as check_name,
        {{ status }} as status,
        cast({{ value }} as double) as value,
        cast({{ threshold }} as double) as threshold,
        {{ detail }} as detail,
        '{{ vetoes }}' as vetoes_on_failure
{%- endmacro -%}


{#- Pass, warn above `warn` and fail above `fail`; unknown where the value is null. -#}
{%- macro status_above(value, warn, fail) -%}
    case
        when {{ value }} is null then 'unknown'
        when {{ value }} > {{ fail }} then 'fail'
        when {{ value }} > {{ warn }} then 'warn'
        else 'pass'
    end
{%- endmacro -%}


{#- The same for p-values, which are worse the smaller they are. -#}
{%- macro status_below(p_value, warn, fail) -%}
    case
        when {{ p_value }} is null then 'unknown'
        when {{ p_value }} < {{ fail }} then 'fail'
        when {{ p_value }} < {{ warn }} then 'warn'
        else 'pass'
    end
{%- endmacro -%}


{#- Every check of an experiment, a select each, over a relation of what was counted. -#}
{%- macro experiment_health_checks(relation) -%}
    {{ health_check(
        'random_holdout',
        "case
            when has_no_control_arm and treated_people > 0 then 'unknown'
            when control_people > 0 and treated_people > 0 then 'pass'
            else 'fail'
        end",
        'control_people', 1,
        "case
            when people = 0 then 'no assignment was recorded: no random holdout, no lift'
            when has_no_control_arm then 'no arm is held out: arms are compared with each other alone'
            when control_people = 0 and mixed_held_out_people > 0
                then 'everybody held out was seen in another arm as well: no random holdout, no lift'
            when control_people = 0 then 'nobody was held out: no random holdout, no lift'
            when treated_people = 0 then 'everybody was held out: nothing to compare with'
            else 'people held out'
        end",
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'recognised_arms',
        "case
            when empty_arms > 0 then 'fail'
            when arm_problem is not null then 'warn'
            else 'pass'
        end",
        'empty_arms', 0,
        "case
            when empty_arms > 0 then arm_problem || ': no random holdout, no lift'
            when arm_problem is not null then arm_problem || '; others tell it as well'
            else 'arms that an attribute or a segment tells, and that nobody is in'
        end",
    ) }}
    from {{ relation }}
    where empty_arms is not null

    union all

    {{ health_check(
        'sample_ratio',
        "case when not has_no_control_arm and not is_planned then 'fail' else "
        ~ status_below('sample_ratio_p_value', 0.001, 0.001) ~ " end",
        'sample_ratio_p_value', 0.001,
        "case
            when has_no_control_arm then 'no arm is held out, so there is no holdout to check'
            when not is_planned
                then 'holdout_share in experiments.csv is not given, so nobody knows whether chance'
                || ' split the arms: write there the share that was planned'
            when chi_square is null then 'an arm is missing, so the split is not checked'
            when sample_ratio_p_value < 0.001
                then 'the arms are not as large as planned: something other than chance splits them'
            else 'p-value of the arms'' sizes'
        end",
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'sample_ratio_arms',
        "case when not has_planned_arms then 'fail' else "
        ~ status_below('arm_ratio_p_value', 0.001, 0.001) ~ " end",
        'arm_ratio_p_value', 0.001,
        "case
            when not has_planned_arms
                then 'planned_share in experiment_arms.csv is not given for each arm that is sent'
                || ' something, so nobody knows whether chance split them: write there the shares'
                || ' that were planned'
            when arm_ratio_p_value is null then 'nobody is in these arms so far'
            when arm_ratio_p_value < 0.001
                then 'arms that are sent something are not as large beside each other as planned:'
                || ' something other than chance splits them'
            else 'p-value of the sizes of the arms that are sent something'
        end",
    ) }}
    from {{ relation }}
    where treated_arms > 1

    union all

    {{ health_check(
        'sample_ratio_arms_daily', status_below('arm_daily_p_value', 0.001, 0.001),
        'arm_daily_p_value', 0.001,
        "case
            when not has_planned_arms
                then 'no planned share: planned_share is not given for each arm that is sent'
                || ' something, so how they fill is not held against it'
            when arm_daily_p_value is null then 'nobody is in these arms so far'
            when arm_daily_p_value < 0.001
                then 'for a time the arms that are sent something did not fill beside each other as'
                || ' planned: the split was not the same throughout'
            else 'p-value of the sizes of the arms that are sent something, looked at every day'
        end",
    ) }}
    from {{ relation }}
    where treated_arms > 1

    union all

    {{ health_check(
        'sample_ratio_daily', status_below('daily_p_value', 0.001, 0.001),
        'daily_p_value', 0.001,
        "case
            when daily_p_value is null
                then 'holdout_share is not given or nobody came, so the split is not checked by day'
            when daily_p_value < 0.001
                then 'for a time the arms did not fill as planned: the split was not the same throughout'
            else 'p-value of the arms'' sizes, looked at every day'
        end",
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'sample_ratio_segments', status_below('segment_p_value', 0.001, 0.001),
        'segment_p_value', 0.001,
        "case
            when segment_p_value is null
                then 'no share was planned, or too few people came to look at some of them alone'
            when segment_p_value < 0.001
                then 'the arms are not as large as planned among people of one segment ('
                || worst_segment || ' at the index): something other than chance splits them'
            else 'p-value of the arms'' sizes within segments of people as they were before'
        end",
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'missing_ghosts', status_above('days_without_control', 0, 0),
        'days_without_control', 0,
        "case
            when days_without_control is null
                then 'holdout_share is not given or nobody came, so nobody is known to be missing'
            when days_without_control > 0
                then 'on some days nobody was held out: people who would have been sent are missing'
            else 'days on which nobody was held out where at least twelve were expected'
        end",
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'leakage', status_above('leaked_share', 0, 0.05), 'leaked_share', 0.05,
        "case
            when leaked_share > 0.05
                then 'held-out people received messages that the experiment covers: the holdout is contaminated'
            else 'share of held-out people whom a message that the experiment covers reached'
        end",
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'trapped_messages', status_above('answering_share', 0, 0.01), 'answering_share', 0.01,
        "case
            when answering_share > 0.01
                then 'held-out people opened or clicked messages that were to be trapped: they were sent'
            else 'share of held-out people who opened or clicked a message that was to be trapped'
        end",
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'mixed_arms',
        "case
            when mixed_share is null then 'unknown'
            when mixed_share > 0.1 or mixed_held_out_share > 0.05 then 'fail'
            when mixed_share > 0.01 or mixed_held_out_share > 0.01 then 'warn'
            else 'pass'
        end",
        'case when 2 * mixed_held_out_share > mixed_share then mixed_held_out_share'
        ~ ' else mixed_share end',
        'case when 2 * mixed_held_out_share > mixed_share then 0.05 else 0.1 end',
        "case
            when mixed_held_out_share > 0.05
                then 'held-out people were seen in another arm as well: the holdout is contaminated'
            when mixed_share > 0.1 then 'people were seen in several arms: they are in none'
            else 'share of people seen in several arms, of all or of those held out; they are in none'
        end",
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'placebo', status_below('placebo_p_value', 0.01, 0.001), 'placebo_p_value', 0.001,
        "case
            when placebo_p_value < 0.001
                then 'the arms bought differently before anything was sent: they are not alike'
            else 'p-value of what the arms bought before the index'
        end",
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'currency',
        "case
            when first_currency is null then 'unknown'
            when first_currency <> last_currency then 'fail'
            else 'pass'
        end",
        'case when first_currency <> last_currency then 2 when first_currency is not null then 1 end',
        1,
        "case
            when first_currency <> last_currency
                then 'people paid in ' || first_currency || ' and in ' || last_currency
                || ': amounts of several currencies are not added up'
            else 'currencies people paid in'
        end",
        'money metrics',
    ) }}
    from {{ relation }}

    union all

    {{ health_check(
        'costs', status_above('uncosted_share', 0, 0.2), 'uncosted_share', 0.2,
        "case
            when uncosted_share is null
                then 'no cost of an order is known, so there is no margin'
            when uncosted_share > 0
                then cast(orders - costed_orders as " ~ dbt.type_string() ~ ") || ' of '
                || cast(orders as " ~ dbt.type_string() ~ ")
                || ' orders have no lines, or one without a cost: their margin is not counted'
            else 'share of orders whose cost is not known'
        end",
        'margin metrics',
    ) }}
    from {{ relation }}
{%- endmacro -%}
