{{ config(materialized='view') }}

-- Of two people who were drawn and turn out to be one, who was drawn first stands, and of two drawn
-- together who was known first: nothing here changes by what is told later of earlier days.
with stg_draws__assignments as (
    select * from {{ ref('stg_draws__assignments') }}
    where drawn_at <= {{ as_of() }}
),

profile_people as (
    select
        person_id,
        md5(profile_key) as first_person_id
    from {{ ref('int_profile_people') }}
),

draw_ranges as (
    select * from {{ ref('int_draw_ranges') }}
),

-- An arm that has another name now, or is no more, is drawn anew.
ranked as (
    select
        stg_draws__assignments.experiment_id,
        profile_people.person_id,
        stg_draws__assignments.first_person_id,
        stg_draws__assignments.arm,
        row_number() over (
            partition by stg_draws__assignments.experiment_id, profile_people.person_id
            order by
                stg_draws__assignments.drawn_at asc,
                stg_draws__assignments.known_at asc nulls first,
                stg_draws__assignments.first_person_id asc
        ) as draw_rank
    from stg_draws__assignments
    inner join profile_people
        on stg_draws__assignments.first_person_id = profile_people.first_person_id
    inner join draw_ranges
        on
            stg_draws__assignments.experiment_id = draw_ranges.experiment_id
            and stg_draws__assignments.arm = draw_ranges.arm
),

final as (
    select
        experiment_id,
        person_id,
        first_person_id,
        arm
    from ranked
    where draw_rank = 1
)

select * from final
