{#- Decimal literals overflow when they are multiplied (DuckDB types 1.96 as decimal(3, 2)), so
    every number in the formulas is written as a double, with an exponent. -#}
{%- macro double_literal(value) -%}
    {%- set text = value | string -%}
    {%- if value is number and 'e' not in text -%}{{ text }}e0
    {%- else -%}{{ text }}
    {%- endif -%}
{%- endmacro -%}


{#- Horner's rule. `coefficients` are texts of doubles, the highest power first. `x` is repeated
    once a coefficient: pass a column or a short expression. -#}
{%- macro polynomial(x, coefficients) -%}
    {{- '(' * (coefficients | length - 1) -}}
    {{- coefficients[0] -}}
    {%- for coefficient in coefficients[1:] -%}
        *{{ x }}+{{ coefficient }})
    {%- endfor -%}
{%- endmacro -%}


{#- ln(1 + y) without the digits that 1 + y loses when y is small (W. Kahan's device: what rounding
    takes from 1 + y it takes from the logarithm and from the difference alike). -#}
{%- macro log_one_plus(y) -%}
    coalesce(ln(1e0+{{ y }})*{{ y }}/nullif((1e0+{{ y }})-1e0,0e0),{{ y }})
{%- endmacro -%}


{#- Rounding below zero. `greatest` will not do: both engines skip nulls in it, and a missing
    variance must stay missing. -#}
{%- macro not_negative(x) -%}
    (case when {{ x }} < 0e0 then 0e0 else {{ x }} end)
{%- endmacro -%}
