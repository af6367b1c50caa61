{#-
    Everyone in a stage of a buying cycle, from a relation of stages: `person_id`, `entered_at`,
    `expires_at`, `categories`. Who is in it for several kinds of product leaves with the last.
-#}
{%- macro people_in_stage(stages) -%}
    select
        person_id,
        min(entered_at) as entered_at,
        max(ends_at) as expires_at,
        {{ dbt.listagg('product_category', "', '", 'order by product_category') }} as categories
    from {{ stages }}
    group by person_id
{%- endmacro -%}
