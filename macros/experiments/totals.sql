{#- What an effect a person comes to over the people it was had on. -#}
{%- macro incremental_total(effect, people) -%}
    (({{ effect }})*cast({{ people }} as double))
{%- endmacro -%}


{#- How many people it takes for one more (order, visit); null where there are none more. -#}
{%- macro people_for_one_more(effect) -%}
    (case when {{ effect }} > 0e0 then 1e0/({{ effect }}) end)
{%- endmacro -%}


{#- The share of what an arm did that it would not have done; null where it did nothing. -#}
{%- macro incremental_share(effect, mean) -%}
    (case when {{ mean }} > 0e0 then ({{ effect }})/({{ mean }}) end)
{%- endmacro -%}


{#- Chance that the effect lies on the better side of 0, where nothing was known of it before (a flat
    prior): one less the one-sided p-value. `better` is higher or lower; where neither is, null. -#}
{%- macro chance_it_helps(effect, p_value, better) -%}
    (case
        when {{ better }} = 'neither' then null
        when ({{ effect }} > 0e0) = ({{ better }} = 'higher') then 1e0-0.5e0*({{ p_value }})
        else 0.5e0*({{ p_value }})
    end)
{%- endmacro -%}
