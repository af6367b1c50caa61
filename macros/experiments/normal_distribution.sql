{#- P(Z > size) for a size of 0 or more. W. J. Cody, "Rational Chebyshev approximations for the
    error function", Mathematics of Computation 23 (1969): relative error about 1e-15, also where
    1 - cdf would be 0. -#}
{%- macro normal_tail(size) -%}
    {%- set square = 'power(' ~ size ~ ',2e0)' -%}
    {%- set centre_above = [
        '0.065682337918207449113e0', '2.2352520354606839287e0', '161.02823106855587881e0',
        '1067.6894854603709582e0', '18154.981253343561249e0',
    ] -%}
    {%- set centre_below = [
        '1e0', '47.20258190468824187e0', '976.09855173777669322e0', '10260.932208618978205e0',
        '45507.789335026729956e0',
    ] -%}
    {%- set middle_above = [
        '1.0765576773720192317e-8', '0.39894151208813466764e0', '8.8831497943883759412e0',
        '93.506656132177855979e0', '597.27027639480026226e0', '2494.5375852903726711e0',
        '6848.1904505362823326e0', '11602.651437647350124e0', '9842.7148383839780218e0',
    ] -%}
    {%- set middle_below = [
        '1e0', '22.266688044328115691e0', '235.38790178262499861e0', '1519.377599407554805e0',
        '6485.558298266760755e0', '18615.571640885098091e0', '34900.952721145977266e0',
        '38912.003286093271411e0', '19685.429676859990727e0',
    ] -%}
    {#- In the paper, polynomials in 1 / square; here both are multiplied by its fifth power. -#}
    {%- set far_above = [
        '2.9112874951168792e-5', '0.001421619193227893466e0', '0.022235277870649807e0',
        '0.1274011611602473639e0', '0.21589853405795699e0', '0.02307344176494017303e0',
    ] -%}
    {%- set far_below = [
        '7.29751555083966205e-5', '0.00378239633202758244e0', '0.0659881378689285515e0',
        '0.468238212480865118e0', '1.28426009614491121e0', '1e0',
    ] -%}
    (case
        when {{ size }} <= 0.67448975e0 then
            0.5e0-{{ size }}*{{ polynomial(square, centre_above) }}
            /{{ polynomial(square, centre_below) }}
        when {{ size }} <= 5.656854249492380e0 then
            exp(-0.5e0*{{ square }})*{{ polynomial(size, middle_above) }}
            /{{ polynomial(size, middle_below) }}
        when {{ size }} < 40e0 then
            exp(-0.5e0*{{ square }})/{{ size }}*(0.398942280401432677940e0
            -{{ polynomial(square, far_above) }}/({{ square }}
            *{{ polynomial(square, far_below) }}))
        when {{ size }} >= 40e0 then 0e0
    end)
{%- endmacro -%}


{%- macro normal_upper_tail(x) -%}
    (case when {{ x }} < 0e0 then 1e0 else 0e0 end
    +case when {{ x }} < 0e0 then -1e0 else 1e0 end*{{ normal_tail('abs(' ~ x ~ ')') }})
{%- endmacro -%}


{%- macro normal_cdf(x) -%}
    {{ normal_upper_tail('(-(' ~ x ~ '))') }}
{%- endmacro -%}


{%- macro normal_two_sided_p(z) -%}
    (2e0*{{ normal_tail('abs(' ~ z ~ ')') }})
{%- endmacro -%}


{%- macro normal_density(x) -%}
    (0.3989422804014326779e0*exp(-0.5e0*({{ x }})*({{ x }})))
{%- endmacro -%}


{#- The inverse of normal_cdf; null outside (0, 1). M. J. Wichura, "Algorithm AS 241: the percentage
    points of the normal distribution", Applied Statistics 37 (1988), routine PPND16. -#}
{%- macro normal_quantile(p) -%}
    {%- set offset = '((' ~ p ~ ')-0.5e0)' -%}
    {%- set central = '(0.180625e0-' ~ offset ~ '*' ~ offset ~ ')' -%}
    {%- set radius = 'sqrt(-ln(least(' ~ p ~ ',1e0-(' ~ p ~ '))))' -%}
    {%- set near = '(' ~ radius ~ '-1.6e0)' -%}
    {%- set far = '(' ~ radius ~ '-5e0)' -%}
    {%- set central_above = [
        '2509.0809287301226727e0', '33430.575583588128105e0', '67265.770927008700853e0',
        '45921.953931549871457e0', '13731.693765509461125e0', '1971.5909503065514427e0',
        '133.14166789178437745e0', '3.3871328727963666080e0',
    ] -%}
    {%- set central_below = [
        '5226.4952788528545610e0', '28729.085735721942674e0', '39307.895800092710610e0',
        '21213.794301586595867e0', '5394.1960214247511077e0', '687.18700749205790830e0',
        '42.313330701600911252e0', '1e0',
    ] -%}
    {%- set near_above = [
        '7.74545014278341407640e-4', '2.27238449892691845833e-2', '0.241780725177450611770e0',
        '1.27045825245236838258e0', '3.64784832476320460504e0', '5.76949722146069140550e0',
        '4.63033784615654529590e0', '1.42343711074968357734e0',
    ] -%}
    {%- set near_below = [
        '1.05075007164441684324e-9', '5.47593808499534494600e-4', '1.51986665636164571966e-2',
        '0.148103976427480074590e0', '0.689767334985100004550e0', '1.67638483018380384940e0',
        '2.05319162663775882187e0', '1e0',
    ] -%}
    {%- set far_above = [
        '2.01033439929228813265e-7', '2.71155556874348757815e-5', '1.24266094738807843860e-3',
        '2.65321895265761230930e-2', '0.296560571828504891230e0', '1.78482653991729133580e0',
        '5.46378491116411436990e0', '6.65790464350110377720e0',
    ] -%}
    {%- set far_below = [
        '2.04426310338993978564e-15', '1.42151175831644588870e-7', '1.84631831751005468180e-5',
        '7.86869131145613259100e-4', '1.48753612908506148525e-2', '0.136929880922735805310e0',
        '0.599832206555887937690e0', '1e0',
    ] -%}
    (case
        when {{ p }} <= 0e0 or {{ p }} >= 1e0 then null
        when abs({{ offset }}) <= 0.425e0 then
            {{ offset }}*{{ polynomial(central, central_above) }}
            /{{ polynomial(central, central_below) }}
        when {{ radius }} <= 5e0 then
            sign({{ offset }})*{{ polynomial(near, near_above) }}
            /{{ polynomial(near, near_below) }}
        else
            sign({{ offset }})*{{ polynomial(far, far_above) }}
            /{{ polynomial(far, far_below) }}
    end)
{%- endmacro -%}


{#- z of a two-sided interval. The usual levels are written out; any other level becomes the
    quantile's own expression. -#}
{%- macro normal_critical_value(level=0.95) -%}
    {%- set known = {
        0.8: '1.2815515655446004e0', 0.9: '1.6448536269514722e0', 0.95: '1.959963984540054e0',
        0.99: '2.5758293035489004e0', 0.999: '3.2905267314919255e0',
    } -%}
    {%- if level in known -%}
        {{ known[level] }}
    {%- else -%}
        {{ normal_quantile(double_literal(((1 + level) / 2) | round(12))) }}
    {%- endif -%}
{%- endmacro -%}
