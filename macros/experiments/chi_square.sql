{#- P(χ² > x) for whole degrees of freedom from 1 to `largest`: the finite sums that even and odd
    degrees have. Null beyond, and below 1. -#}
{%- macro chi_square_upper_tail(x, df, largest=30) -%}
    {%- set half = '(greatest(0e0,cast(' ~ x ~ ' as double))/2e0)' -%}
    {%- set root = 'sqrt(greatest(0e0,cast(' ~ x ~ ' as double)))' -%}
    (case
        when {{ x }} is null or {{ df }} < 1 or {{ df }} > {{ largest }} then null
        when {{ df }} in ({{ range(1, largest + 1, 2) | join(', ') }}) then
            least(1e0,2e0*{{ normal_tail(root) }}+exp(-{{ half }})*sqrt({{ half }})*(
            {{ chi_square_terms(half, df, 3, largest, '1.1283791670955126e0') }}))
        when {{ df }} in ({{ range(2, largest + 1, 2) | join(', ') }}) then
            least(1e0,exp(-{{ half }})*(1e0{% if largest >= 4 %}+{{ half }}*(
            {{ chi_square_terms(half, df, 4, largest, '1e0') }}){% endif %}))
    end)
{%- endmacro -%}


{#- first·[df ≥ lowest]·(1 + h/(lowest/2)·[df ≥ lowest + 2]·(1 + …)). -#}
{%- macro chi_square_terms(half, df, lowest, largest, first) -%}
    case when {{ df }} >= {{ lowest }} then {{ first }} else 0e0 end
    {%- for degrees in range(lowest + 2, largest + 1, 2) -%}
        *(1e0+{{ half }}/{{ degrees / 2 - 1 }}e0
        *case when {{ df }} >= {{ degrees }} then 1e0 else 0e0 end
    {%- endfor -%}
    {{- ')' * (range(lowest + 2, largest + 1, 2) | list | length) -}}
{%- endmacro -%}
