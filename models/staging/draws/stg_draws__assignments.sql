with source as (
    select * from {{ source('draws', 'assignments') }}
),

complete_loads as (
    {{ complete_loads('draws') }}
),

renamed as (
    select
        source.experiment_id,
        source.person_id,
        source.first_person_id,
        source.arm,
        source.known_at,
        source.drawn_at,
        source.build_id
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
