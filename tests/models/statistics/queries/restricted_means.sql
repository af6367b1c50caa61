with curves as (
    with {{ survival_results('answers', 'arguments', 'arm', 'duration', 'horizon') }}

    select
        'e' as experiment_id,
        arm,
        horizon as window_hours,
        at_risk as people_at_risk,
        events as people_ordering,
        restricted_mean as restricted_mean_days,
        restricted_mean_variance
    from answers
),

arms as (
    select 'e' as experiment_id, arm, arm = 'c' as is_control
    from arguments
),

{{ restricted_mean_results('means', 'curves', 'arms') }}

select * from means
