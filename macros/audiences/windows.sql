{#-
    Whether an instant lies in a window that ends at `as_of`: at most `amount` units old, and with
    `after` at least that many. Both edges are in.
-#}
{%- macro in_window(instant, amount, unit, after=0) -%}
    {{ instant }} between {{ window_start(amount, unit) }} and {{ window_start(after, unit) if after else as_of() }}
{%- endmacro -%}

{#- Condition on `person_consent`: the person opted out of a channel, or of everything. -#}
{%- macro opted_out_of(consent_channel) -%}
    is_opted_out and channel in ('{{ consent_channel }}', 'all')
{%- endmacro -%}
