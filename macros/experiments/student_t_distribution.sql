{#-
    Student's t to about 1e-11, for any degrees of freedom from 1 up, whole or not.

    Put s = √(df·ln(1 + t²/df)), the score of t. In s the two-sided density is
    2·scale·exp(−s²/2)·√(y/(1 − exp(−y))), y = s²/df: nearly normal for every df. So one
    Gauss-Legendre rule over [s, √(s² + 58)] gives the whole tail (beyond it lies less than 1e-12
    of it), and s as a function of the normal quantile is nearly a straight line, so that one step
    from a good guess finds the quantile: to 2e-10 for two-sided error rates down to 1e-6, to 5e-9
    at 1e-12. Measured against scipy for df of 1 to 1e7.

    A step of the computation that is used more than once is a column of its own, and columns and
    CTEs that start with `t_` are such steps; written as one expression it would have 100,000
    characters.
-#}

{#- 26 nodes on [0, 1], which lie in pairs: (a node, the other, their weight; all weights add up
    to 2). With 24 nodes the tail is 2e-11 off, with 20 1e-9, always at df = 1. -#}
{%- macro student_t_nodes() -%}
    {{ return([
        ('0.4703849532853434e0', '0.5296150467146566e0', '0.1183214152792622e0'),
        ('0.4115705898215549e0', '0.5884294101784451e0', '0.1166604434852965e0'),
        ('0.3539975802570215e0', '0.6460024197429785e0', '0.1133618165463196e0'),
        ('0.2984741224382568e0', '0.7015258775617432e0', '0.1084718405285765e0'),
        ('0.2457796425877471e0', '0.7542203574122528e0', '0.1020591610944254e0'),
        ('0.1966538534911910e0', '0.8033461465088090e0', '0.0942138003559141e0'),
        ('0.1517863697900214e0', '0.8482136302099786e0', '0.0850458943134852e0'),
        ('0.1118070255896605e0', '0.8881929744103394e0', '0.0746841497656596e0'),
        ('0.0772770286057510e0', '0.9227229713942490e0', '0.0632740463295750e0'),
        ('0.0486810690078465e0', '0.9513189309921535e0', '0.0509758252971478e0'),
        ('0.0264204666691429e0', '0.9735795333308571e0', '0.0379623832943630e0'),
        ('0.0108072770217645e0', '0.9891927229782355e0', '0.0244178510926318e0'),
        ('0.0020571494271915e0', '0.9979428505728085e0', '0.0105513726173434e0'),
    ]) }}
{%- endmacro -%}


{#- Γ((df + 1)/2) / (Γ(df/2)·√(df·π)). The ratio of gammas is its asymptotic series (even powers
    about df/2 − 1/4; the numerators are Euler's numbers) at df + 12, taken back by the recurrence:
    no difference of large logarithms, so no digits are lost at a million degrees of freedom. -#}
{%- macro student_t_scale(df) -%}
    {%- set w = '(0.5e0*' ~ df ~ '+5.75e0)' -%}
    {%- set v = '(1e0/(' ~ w ~ '*' ~ w ~ '))' -%}
    {%- set series = [
        '-0.006712389489014943e0', '0.002409029006958008e0', '-0.0013208389282226562e0',
        '0.0012410481770833333e0', '-0.00244140625e0', '0.015625e0', '0e0',
    ] -%}
    (sqrt({{ w }}/({{ df }}*3.141592653589793e0))*exp({{ polynomial(v, series) }})
    {%- for step in range(0, 12, 2) -%}
        *({{ df }}+{{ step }}e0)/({{ df }}+{{ step + 1 }}e0)
    {%- endfor -%})
{%- endmacro -%}


{%- macro student_t_score(t, df) -%}
    {#- Beyond 1e100 the square would overflow, and the tail is 0 to double precision or nearly. -#}
    {%- set size = '(case when abs(' ~ t ~ ')>1e100 then 1e100 else abs(' ~ t ~ ') end)' -%}
    {%- set y = '(' ~ size ~ '*' ~ size ~ '/' ~ df ~ ')' -%}
    sqrt({{ df }}*{{ log_one_plus(y) }})
{%- endmacro -%}


{%- macro student_t_from_score(score, df) -%}
    {#- exp(y) − 1, without cancellation; the logarithm is of a number that exp just gave. -#}
    {%- set y = '(' ~ score ~ '*' ~ score ~ '/' ~ df ~ ')' -%}
    sqrt({{ df }}*coalesce((exp({{ y }})-1e0)*{{ y }}/nullif(ln(exp({{ y }})),0e0),{{ y }}))
{%- endmacro -%}


{#- √(y/(1 − exp(−y))) for y = square/df, without cancellation, in the same way. -#}
{%- macro student_t_weight(square, df) -%}
    {%- set drop = 'exp(-' ~ square ~ '/' ~ df ~ ')' -%}
    sqrt(coalesce(ln({{ drop }})/nullif({{ drop }}-1e0,0e0),1e0))
{%- endmacro -%}


{#- P(|T| > |t|) for the t that has this score; `reach` is √(score² + 58). All are repeated at every
    node: pass columns. -#}
{%- macro student_t_two_sided_tail(score, reach, df, scale) -%}
    ({{ scale }}*({{ reach }}-{{ score }})*(
    {%- for low, high, weight in student_t_nodes() -%}
        {%- set plus = '' if loop.first else '+' -%}
        {%- for near, far in [(high, low), (low, high)] -%}
            {%- set square = 'power(' ~ near ~ '*' ~ score ~ '+' ~ far ~ '*' ~ reach ~ ',2e0)' %}
    {{ plus if loop.first else '+' }}{{ weight }}*exp(-0.5e0*{{ square }})
    {{- '*' }}{{ student_t_weight(square, df) }}
        {%- endfor -%}
    {%- endfor %}
    ))
{%- endmacro -%}


{#-
    CTEs that add P(|T| > |t|) as `column`, the last one called `name`. Null below 1 degree of
    freedom.
-#}
{%- macro student_t_two_sided_p_ctes(name, relation, t, df, column='p_value') -%}
{{ name }}_degrees as (
    select
        *,
        case when {{ df }} >= 1 then cast({{ df }} as double) end as t_df
    from {{ relation }}
),

{{ name }}_scores as (
    select
        *,
        {{ student_t_scale('t_df') }} as t_scale,
        {{ student_t_score('cast(' ~ t ~ ' as double)', 't_df') }} as t_score
    from {{ name }}_degrees
),

{{ student_t_tail_ctes(name, name ~ '_scores', column) }}
{%- endmacro -%}


{#- The end of it: from t_df, t_scale and t_score to the tail, at most 1. -#}
{%- macro student_t_tail_ctes(name, relation, column) -%}
{{ name }}_reaches as (
    select
        *,
        sqrt(t_score*t_score+58e0) as t_reach
    from {{ relation }}
),

{{ name }} as (
    select
        *,
        case when t_score is not null then
            least(1e0,{{ student_t_two_sided_tail('t_score', 't_reach', 't_df', 't_scale') }})
        end as {{ column }}
    from {{ name }}_reaches
)
{%- endmacro -%}


{#-
    CTEs that add t_critical, which T exceeds as often as a normal variable exceeds t_z, to a
    relation with t_z (0 or more) and t_df (1 or more, or null); the last one is called `name`. They
    add t_scale too.
-#}
{%- macro student_t_critical_ctes(name, relation) -%}
{{ name }}_scales as (
    select
        *,
        {{ student_t_scale('t_df') }} as t_scale
    from {{ relation }}
),

-- Exact for a small z; fitted, to 0.001, for any df and two-sided error rates down to 1e-7.
{{ name }}_guesses as (
    select
        *,
        t_z*(1e0+(0.3989422804014327e0/t_scale-1e0)/(1e0
            +t_z*t_z/t_df*(0.10996e0+0.07043e0/t_df)
            +power(t_z*t_z/t_df,2e0)*(0.001255e0-0.002788e0/t_df))) as t_guess
    from {{ name }}_scales
),

{{ name }}_reaches as (
    select
        *,
        sqrt(t_guess*t_guess+58e0) as t_guess_reach
    from {{ name }}_guesses
),

{{ name }}_tails as (
    select
        *,
        0.5e0*{{ student_t_two_sided_tail('t_guess', 't_guess_reach', 't_df', 't_scale') }}
            as t_tail
    from {{ name }}_reaches
),

{{ name }}_reached as (
    select
        *,
        -{{ normal_quantile('t_tail') }} as t_reached_z
    from {{ name }}_tails
),

{{ name }}_slopes as (
    select
        *,
        t_scale*exp(-0.5e0*t_guess*t_guess)*{{ student_t_weight('t_guess*t_guess', 't_df') }}
            /{{ normal_density('t_reached_z') }} as t_slope
    from {{ name }}_reached
),

-- Halley's step: the slope of z against the score, and how the slope bends.
{{ name }}_steps as (
    select
        *,
        (t_z-t_reached_z)/t_slope as t_step,
        t_reached_z*t_slope-t_guess+coalesce(
            1e0/nullif(t_guess,0e0)
            -t_guess/t_df/nullif(exp(t_guess*t_guess/t_df)-1e0,0e0),
            0.5e0*t_guess/t_df
        ) as t_bend
    from {{ name }}_slopes
),

{{ name }}_refined as (
    select
        *,
        t_guess+t_step*(1e0-0.5e0*t_bend*t_step) as t_refined
    from {{ name }}_steps
),

{{ name }} as (
    select
        *,
        {{ student_t_from_score('t_refined', 't_df') }} as t_critical
    from {{ name }}_refined
)
{%- endmacro -%}


{#-
    CTEs that add the quantile of Student's t as `column`, the last one called `name`. `p` is the
    lower-tail probability, as in the tables: 0.975 and 10 give 2.228. Null outside (0, 1) and below
    1 degree of freedom.
-#}
{%- macro student_t_quantile_ctes(name, relation, p, df, column='t_quantile') -%}
{{ name }}_degrees as (
    select
        *,
        case when {{ df }} >= 1 then cast({{ df }} as double) end as t_df,
        abs({{ normal_quantile('cast(' ~ p ~ ' as double)') }}) as t_z
    from {{ relation }}
),

{{ student_t_critical_ctes(name ~ '_critical', name ~ '_degrees') }},

{{ name }} as (
    select
        *,
        case when {{ p }} < 0.5e0 then -t_critical else t_critical end as {{ column }}
    from {{ name }}_critical
)
{%- endmacro -%}
