{#-
    The metrics of an experiment. A person's value is an expression over `experiment_outcomes`; where
    it is null, the person is not among those the metric is about (or it cannot be known yet). Values
    are exact decimals with four places. To add a metric, add a line.

    kind: proportion (0 or 1), mean, or ratio (of sums over people: `value` over `per`).
    family: goal, guardrail, mechanism (what was done to people) or placebo (before the index, so that
    a difference says the arms were not alike). Only goals have segments.
    covariate: what CUPED adjusts with. Spend before is known of everyone; visits before only since
    that feed began.
    better: higher, lower or neither; decides which side of 0 helps.
    is_money, is_margin: whether several currencies, or orders of unknown cost, refuse it.
    capped: cut at a high quantile of the totals of people with any, over all arms together.
-#}
{%- macro experiment_metrics() -%}
    {%- set spend = {'covariate': 'pre_period_revenue', 'is_money': true} -%}
    {%- set habit = {'covariate': 'pre_period_orders'} -%}
    {{ return([
        metric('conversion_rate', 'is_converted', 'proportion', **habit),
        metric('orders_per_person', 'orders', **habit),
        metric('revenue_per_person', 'revenue', **spend),
        metric('revenue_per_person_capped', 'revenue', capped=true, **spend),
        metric('net_revenue_per_person', 'net_revenue', **spend),
        metric('net_revenue_per_person_capped', 'net_revenue', capped=true, **spend),
        metric('margin_per_person', 'margin', is_margin=true, **spend),
        metric('margin_per_person_capped', 'margin', is_margin=true, capped=true, **spend),
        metric('repeat_purchase_rate_30d', 'has_ordered_again_30d', 'proportion', **habit),
        metric('average_order_value', 'revenue', 'ratio', per='orders', is_money=true),
        metric('site_visit_rate', 'has_visited', 'proportion', covariate='pre_period_revenue'),
        metric('refund_value_rate', 'refunded_amount', 'ratio', 'guardrail',
            per='settled_revenue', better='lower', is_money=true),
        metric('refunds_per_person', 'refunded_amount', 'mean', 'guardrail',
            better='lower', is_money=true),
        metric('unsubscribe_rate', 'has_unsubscribed', 'proportion', 'guardrail', better='lower'),
        metric('complaint_rate', 'has_complained', 'proportion', 'guardrail', better='lower'),
        metric('messages_received_per_person', 'messages_received', 'mean', 'mechanism',
            better='neither'),
        metric('pre_period_conversion_rate', 'case when pre_period_orders > 0 then 1 else 0 end',
            'proportion', 'placebo', better='neither'),
        metric('pre_period_revenue_per_person', 'pre_period_revenue', 'mean', 'placebo',
            better='neither', is_money=true),
    ]) }}
{%- endmacro -%}


{%- macro metric(
    name, value, kind='mean', family='goal', per=none, covariate=none, better='higher',
    is_money=false, is_margin=false, capped=false
) -%}
    {{ return({
        'name': name, 'value': value, 'kind': kind, 'family': family, 'per': per,
        'covariate': covariate, 'better': better, 'is_money': is_money,
        'is_margin': is_margin, 'capped': capped,
    }) }}
{%- endmacro -%}


{#- A person's value, denominator or covariate, of the metric in the column `metric`. -#}
{%- macro metric_value(part) -%}
    case metrics.metric
        {%- for one in experiment_metrics() if one[part] is not none %}
        when '{{ one.name }}' then cast({{ one[part] }} as decimal(16, 4))
        {%- endfor %}
    end
{%- endmacro -%}
