-- The split within each segment of people as they were before the index: a fault that holds nobody
-- out of one segment, and too many out of another, is right in total.
with segments as (
    select * from {{ ref('experiment_segments') }}
),

sides as (
    select * from {{ ref('int_experiment_sides') }}
),

sized as (
    select
        experiment_id,
        segment,
        sum(people) as people
    from segments
    group by experiment_id, segment
),

-- A side that nobody of a segment is on was planned all the same.
filled as (
    select
        sized.experiment_id,
        sized.segment,
        sized.people as all_people,
        sides.side,
        sides.share,
        sides.sides,
        sides.smallest_share * sized.people as fewest_expected,
        coalesce(segments.people, 0) as people
    from sized
    inner join sides
        on sized.experiment_id = sides.experiment_id
    left join segments
        on
            sized.experiment_id = segments.experiment_id
            and sized.segment = segments.segment
            and sides.side = segments.side
),

-- Where few are expected Pearson's distance calls too many strange, and the likelihood ratio's too
-- few. By the smaller one a split that is as planned is hardly ever called strange.
against_plan as (
    select
        experiment_id,
        segment,
        all_people,
        sides,
        fewest_expected,
        coalesce(sum(people) filter (where side = ''), 0) as control_people,
        least(
            {{ sum_in_order(sample_ratio_term('people', 'all_people', 'share'), 'side') }},
            {{ sum_in_order(sample_deviance_term('people', 'all_people', 'share'), 'side') }}
        ) as distance
    from filled
    group by experiment_id, segment, all_people, sides, fewest_expected
),

final as (
    select
        experiment_id,
        segment,
        cast(all_people as bigint) as people,
        cast(control_people as bigint) as control_people,
        sides,
        fewest_expected,
        -- What is left over where even the small groups together are few is in the total alone.
        case when fewest_expected >= 5 then greatest(distance, 0) end as chi_square,
        case
            when fewest_expected >= 5
                then {{ chi_square_upper_tail('distance', '(sides - 1)') }}
        end as p_value
    from against_plan
)

select * from final
