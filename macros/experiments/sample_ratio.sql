{#- One arm's share of the chi-square of a sample ratio check: sum it over the arms; the degrees of
    freedom are arms - 1. `share` is the arm's planned share of `people` over all arms. -#}
{%- macro sample_ratio_term(arm_people, people, share) -%}
    {%- set expected = '(cast(' ~ people ~ ' as double)*cast(' ~ share ~ ' as double))' -%}
    (power(cast({{ arm_people }} as double)-{{ expected }},2e0)/nullif({{ expected }},0e0))
{%- endmacro -%}


{#- The same of the likelihood ratio (G), whose tail is right where Pearson's is too heavy: of few
    expected people. -#}
{%- macro sample_deviance_term(arm_people, people, share) -%}
    {%- set count = 'cast(' ~ arm_people ~ ' as double)' -%}
    {%- set expected = '(cast(' ~ people ~ ' as double)*cast(' ~ share ~ ' as double))' -%}
    (case when {{ count }} > 0e0 then 2e0*{{ count }}*ln({{ count }}/nullif({{ expected }},0e0)) else 0e0 end)
{%- endmacro -%}


{#- Logarithm of the Bayes factor for a mismatch, an aggregate over the rows of the arms: M. Lindon
    and A. Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022). One over the
    largest factor seen so far is a p-value that may be looked at every day. -#}
{%- macro sequential_sample_ratio_log_factor(arm_people, share, concentration=100) -%}
    {%- set k = double_literal(concentration) -%}
    {%- set people = 'cast(' ~ arm_people ~ ' as double)' -%}
    {%- set weight = '(' ~ k ~ '*cast(' ~ share ~ ' as double))' -%}
    (sum({{ log_gamma('(' ~ weight ~ '+' ~ people ~ ')') }}-{{ log_gamma(weight) }}
    -{{ people }}*ln(cast({{ share }} as double)))
    -{{ log_gamma('(' ~ k ~ '+sum(' ~ people ~ '))') }}+{{ log_gamma(k) }})
{%- endmacro -%}


{#- The p-value that may be looked at every day, of the largest log factor so far. The case is there
    because greatest() passes over nulls: a split without a plan would look like one that is as planned. -#}
{%- macro sequential_sample_ratio_p(largest_log_factor) -%}
    case
        when {{ largest_log_factor }} is not null then exp(-greatest({{ largest_log_factor }}, 0e0))
    end
{%- endmacro -%}


{#- ln Γ(x) for x > 0: Stirling's series at x + 8, taken back by the recurrence. Engines differ in
    whether they have lgamma. -#}
{%- macro log_gamma(x) -%}
    {%- set y = '(' ~ x ~ '+8e0)' -%}
    (({{ y }}-0.5e0)*ln({{ y }})-{{ y }}+0.91893853320467274178e0
    +(1e0/12e0-(1e0/360e0-(1e0/1260e0-(1e0/1680e0-1e0/1188e0/({{ y }}*{{ y }}))
    /({{ y }}*{{ y }}))/({{ y }}*{{ y }}))/({{ y }}*{{ y }}))/{{ y }}
    -ln({{ x }}*({{ x }}+1e0)*({{ x }}+2e0)*({{ x }}+3e0))
    -ln(({{ x }}+4e0)*({{ x }}+5e0)*({{ x }}+6e0)*({{ x }}+7e0)))
{%- endmacro -%}
