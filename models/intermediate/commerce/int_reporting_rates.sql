{%- set reporting_currency = "upper('" ~ var('reporting_currency') ~ "')" -%}
-- Rates are all in one currency, whichever it is; what counts is the ratio of two of them. Where
-- the reporting currency has no rate, the rates are in it.
with currency_rates as (
    select * from {{ ref('stg_commerce__currency_rates') }}
),

stretches as (
    select
        currency,
        rate,
        valid_from,
        coalesce(
            lead(valid_from) over (partition by currency order by valid_from),
            cast('9999-12-31' as date)
        ) as valid_before
    from currency_rates
),

reporting_stretches as (
    select
        rate,
        valid_from,
        valid_before
    from stretches
    where currency = {{ reporting_currency }}
),

reporting as (
    select * from reporting_stretches

    union all

    select
        cast(1 as decimal(18, 8)) as rate,
        cast('0001-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_before
    where not exists (select 1 from reporting_stretches)
),

final as (
    select
        stretches.currency,
        greatest(stretches.valid_from, reporting.valid_from) as valid_from,
        least(stretches.valid_before, reporting.valid_before) as valid_before,
        cast(stretches.rate / nullif(reporting.rate, 0) as decimal(18, 8)) as rate
    from stretches
    inner join reporting
        on
            stretches.valid_from < reporting.valid_before
            and stretches.valid_before > reporting.valid_from
    where stretches.currency <> {{ reporting_currency }}

    union all

    select
        {{ reporting_currency }} as currency,
        cast('0001-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_before,
        cast(1 as decimal(18, 8)) as rate
)

select * from final
where '{{ var("reporting_currency") }}' <> ''
