with source as (
    select * from {{ source('experiments', 'assignments') }}
),

complete_loads as (
    {{ complete_loads('experiments') }}
),

renamed as (
    select
        source.experiment_id,
        source.arm,
        {{ normalise_id('source.cio_id') }} as cio_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,
        source.assigned_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

keyed as (
    select
        *,
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key
    from renamed
),

final as (
    select
        experiment_id,
        profile_key,
        arm,
        cio_id,
        customer_id,
        email,
        min(assigned_at) as assigned_at
    from keyed
    group by experiment_id, profile_key, arm, cio_id, customer_id, email
)

select * from final
