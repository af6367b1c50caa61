{#-
    Adjusting p-values for a family of tests. Window functions cannot be nested, so a model first
    adds p_value_rank and p_value_count as columns and then adjusts. Tests without a p-value do not
    count as tests, and stay null.
-#}
{%- macro p_value_rank(p, family) -%}
    case when {{ p }} is not null then
        row_number() over (partition by {{ family }} order by {{ p }} asc nulls last)
    end
{%- endmacro -%}


{%- macro p_value_count(p, family) -%}
    count({{ p }}) over (partition by {{ family }})
{%- endmacro -%}


{#- Expects the false discoveries among what is called significant: Benjamini and Hochberg. -#}
{%- macro benjamini_hochberg(p, rank, tests, family) -%}
    case when {{ p }} is not null then
        least(1e0,min({{ p }}*cast({{ tests }} as double)/cast({{ rank }} as double)) over (
            partition by {{ family }} order by {{ rank }} desc nulls last
            rows between unbounded preceding and current row
        ))
    end
{%- endmacro -%}


{#- Bounds the chance of even one false discovery: Holm. -#}
{%- macro holm(p, rank, tests, family) -%}
    case when {{ p }} is not null then
        least(1e0,max({{ p }}*(cast({{ tests }} as double)-cast({{ rank }} as double)+1e0)) over (
            partition by {{ family }} order by {{ rank }} asc nulls last
            rows between unbounded preceding and current row
        ))
    end
{%- endmacro -%}
