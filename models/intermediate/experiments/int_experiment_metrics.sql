with metrics as (
    {%- for one in experiment_metrics() %}
    {{ 'union all' if not loop.first }}
    select
        '{{ one.name }}' as metric,
        '{{ one.kind }}' as kind,
        '{{ one.family }}' as family,
        '{{ one.better }}' as better,
        {{ one.is_money }} as is_money,
        {{ one.is_margin }} as is_margin,
        {{ one.capped }} as is_capped
    {%- endfor %}

    union all

    -- It has no value a person, only a curve: `experiment_survival`.
    select
        'days_to_next_order' as metric,
        'survival' as kind,
        'goal' as family,
        'lower' as better,
        false as is_money,
        false as is_margin,
        false as is_capped
),

final as (
    select
        metric,
        kind,
        family,
        better,
        -- Few people held out and a few large orders: Welch then says "helps" far too often.
        case kind
            when 'proportion' then 'newcombe'
            when 'ratio' then 'ratio_delta'
            when 'survival' then 'rmst'
            else 'hall'
        end as headline_method,
        is_money,
        is_margin,
        is_capped
    from metrics
)

select * from final
