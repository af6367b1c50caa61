{#-
    An interval that may be looked at every day: I. Waudby-Smith et al., "Time-uniform central limit
    theory and asymptotic confidence sequences" (Annals of Statistics 2024), in GrowthBook's form.
    It is narrowest at `planned_people`; keep that number fixed from the first look to the last.
-#}
{%- macro always_valid_rho_squared(planned_people, alpha=0.05) -%}
    {%- set spent = '(-2e0*ln(' ~ double_literal(alpha) ~ '))' -%}
    (({{ spent }}+ln({{ spent }}+1e0))/nullif(cast({{ planned_people }} as double),0e0))
{%- endmacro -%}


{%- macro always_valid_half_width(standard_error, people, planned_people, alpha=0.05) -%}
    {%- set rho = always_valid_rho_squared(planned_people, alpha) -%}
    {%- set n = 'cast(' ~ people ~ ' as double)' -%}
    (nullif({{ standard_error }},0e0)*sqrt(2e0*({{ n }}*{{ rho }}+1e0)
    /nullif({{ n }}*{{ rho }},0e0)*ln(sqrt({{ n }}*{{ rho }}+1e0)/{{ double_literal(alpha) }})))
{%- endmacro -%}


{%- macro always_valid_p(effect, standard_error, people, planned_people, alpha=0.05) -%}
    {%- set rho = always_valid_rho_squared(planned_people, alpha) -%}
    {%- set n = 'cast(' ~ people ~ ' as double)' -%}
    (case when {{ effect }} is not null and {{ standard_error }} > 0e0 then
        least(1e0,sqrt({{ n }}*{{ rho }}+1e0)*exp(
        -power(({{ effect }})/({{ standard_error }}),2e0)*{{ n }}*{{ rho }}
        /(2e0*({{ n }}*{{ rho }}+1e0))))
    end)
{%- endmacro -%}
