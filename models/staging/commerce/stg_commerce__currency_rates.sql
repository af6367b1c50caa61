with source as (
    select * from {{ source('commerce', 'currency_rates') }}
),

complete_loads as (
    {{ timed_loads('commerce') }}
),

-- A rate that is told again for the same day is a correction.
ranked as (
    select
        source.*,
        row_number() over (
            partition by upper(trim(source.currency)), source.valid_from
            order by
                complete_loads.loaded_at desc,
                source.source_line desc nulls last,
                source.payload desc
        ) as version_rank
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

renamed as (
    select
        upper(trim(currency)) as currency,
        valid_from,
        rate
    from ranked
    where version_rank = 1
)

select * from renamed
