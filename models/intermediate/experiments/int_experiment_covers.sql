with experiments as (
    select * from {{ ref('int_experiments') }}
),

words as (
    select
        experiment_id,
        {{ split_rows('covers', ',') }} as covered
    from experiments
    where covers is not null
),

final as (
    select distinct
        experiment_id,
        trim(covered) as covered
    from words
    where trim(covered) <> ''
)

select * from final
