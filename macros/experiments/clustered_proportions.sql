{#- How many independent trials a rate rests on where a person has several, which are alike: the
    trials over their design effect (L. Kish, "Survey Sampling", 1965), from the variance of a ratio
    of sums over people. Never more than there are; and where none or all succeeded, so that nothing
    tells how alike a person's are, one a person. Wilson's interval of as many keeps its coverage
    (E. Korn and B. Graubard, Survey Methodology 24, 1998, who do the same with Clopper's). -#}
{%- macro effective_trials(
    people, successes, trials, sum_successes_squared, sum_trials_squared, sum_products
) -%}
    {%- set rate = sample_mean(trials, successes) -%}
    {%- set unit_variance = ratio_unit_variance(
        people, successes, sum_successes_squared, trials, sum_trials_squared, sum_products
    ) -%}
    (case
        when {{ people }} < 2 or {{ successes }} = 0 or {{ successes }} = {{ trials }}
            then cast({{ people }} as double)
        else least(cast({{ trials }} as double), coalesce(
            {{ rate }}*(1e0-{{ rate }})*cast({{ people }} as double)/nullif({{ unit_variance }},0e0),
            cast({{ trials }} as double)))
    end)
{%- endmacro -%}
