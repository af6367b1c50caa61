{%- set sums = [
    'people', 'delivered_people', 'nonzero_people', 'sum_y', 'sum_yy', 'sum_yyy', 'sum_yd',
    'sum_x', 'sum_xx', 'sum_xy', 'sum_per', 'sum_per_per', 'sum_y_per'
] -%}
-- Every arm beside its holdout, and the treated arms beside each other, a row a metric: what the
-- estimators read.
with statistics as (
    select * from {{ ref('experiment_statistics') }}
),

control_arms as (
    select
        experiment_id,
        arm
    from {{ ref('experiment_arms') }}
    where is_control
    group by experiment_id, arm
),

arms as (
    select
        statistics.*,
        control_arms.arm is not null as is_control
    from statistics
    left join control_arms
        on
            statistics.experiment_id = control_arms.experiment_id
            and statistics.arm = control_arms.arm
),

final as (
    select
        treated.experiment_id,
        treated.arm,
        control.arm as control_arm,
        treated.metric,
        treated.window_hours,
        treated.segment,
        {%- for name in sums %}
        treated.{{ name }} as {{ name }}_t,
        control.{{ name }} as {{ name }}_c,
        {%- endfor %}
        case when control.is_control then 'holdout' else 'arms' end as comparison
    from arms as treated
    inner join arms as control
        on
            treated.experiment_id = control.experiment_id
            and treated.metric = control.metric
            and treated.window_hours = control.window_hours
            and treated.segment = control.segment
            -- Of two treated arms the first by name is held against the second, and once.
            and (control.is_control or treated.arm < control.arm)
    where not treated.is_control
)

select * from final
