{#- How far segments agree: aggregates over rows of one segment each, of which `key` is unique. -#}
{%- macro precision_weight(standard_error) -%}
    (1e0/nullif(power({{ standard_error }},2e0),0e0))
{%- endmacro -%}


{#- Mean of the segments' effects, weighed by precision. -#}
{%- macro pooled_effect(effect, standard_error, key) -%}
    {%- set weight = precision_weight(standard_error) -%}
    ({{ sum_in_order(weight ~ '*(' ~ effect ~ ')', key) }}
    /nullif({{ sum_in_order(weight, key) }},0e0))
{%- endmacro -%}


{#- Cochran's Q, Σw(d − d̄)², with the weighed mean taken out of the sum of squares. Under one effect
    for all it is a chi-square of segments - 1 degrees of freedom. -#}
{%- macro cochran_q(effect, standard_error, key) -%}
    {%- set weight = precision_weight(standard_error) -%}
    {%- set spread = '(' ~ sum_in_order(weight ~ '*power(' ~ effect ~ ',2e0)', key)
        ~ '-power(' ~ sum_in_order(weight ~ '*(' ~ effect ~ ')', key) ~ ',2e0)/nullif('
        ~ sum_in_order(weight, key) ~ ',0e0))' -%}
    {{ not_negative(spread) }}
{%- endmacro -%}


{#- The effect of everyone, with each stratum's weighed by the people in it. -#}
{%- macro stratified_effect(effect, people, key) -%}
    ({{ sum_in_order('(' ~ effect ~ ')*cast(' ~ people ~ ' as double)', key) }}
    /nullif(cast(sum({{ people }}) as double),0e0))
{%- endmacro -%}


{#- Its standard error. A stratum without a spread of its own cannot be weighed, so there is no sum
    either. -#}
{%- macro stratified_standard_error(standard_error, people, key) -%}
    (case when count({{ standard_error }}) = count(*) then
        sqrt({{ sum_in_order(
            'power((' ~ standard_error ~ ')*cast(' ~ people ~ ' as double),2e0)', key
        ) }})/nullif(cast(sum({{ people }}) as double),0e0)
    end)
{%- endmacro -%}
