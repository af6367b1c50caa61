{#-
    The metrics of an experiment: name and a person's value, an expression over
    `experiment_outcomes`. Values are exact decimals with four places, so that sums of squares and
    cubes do not depend on the order in which an engine adds them.
-#}
{%- macro experiment_metrics() -%}
    {{ return([
        ('conversion_rate', 'case when is_converted then 1 else 0 end'),
        ('orders_per_person', 'orders'),
        ('revenue_per_person', 'revenue'),
        ('net_revenue_per_person', 'net_revenue'),
    ]) }}
{%- endmacro -%}
