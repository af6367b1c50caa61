-- Which arm of which experiment a profile was put in, by the attribute that tells it. Whoever loses
-- the value keeps the arm, and whoever is given another arm's is in both: people are never moved.
with arm_attributes as (
    select * from {{ ref('int_arm_attributes') }}
),

-- What somebody has says in which arm they are, and never that a message of a campaign was due.
experiments as (
    select * from {{ ref('int_experiments') }}
    where kind in ('global', 'warehouse')
),

statements as (
    select * from {{ ref('int_attribute_statements') }}
    where stated_at <= {{ as_of() }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

-- One profile is told of by several feeds, and not all know it by Customer.io's own id: what is
-- told of an id of the company's is told of the profile that has it. Two profiles stay two, also
-- where they turned out to be one person later: each was in an arm.
told_of_profiles as (
    select
        statements.attribute_name,
        statements.attribute_value,
        statements.stated_at,
        case
            when statements.profile_key like 'cio:%' then statements.profile_key
            else coalesce(profile_people.canonical_key, statements.profile_key)
        end as profile_key
    from statements
    left join profile_people
        on statements.profile_key = profile_people.profile_key
),

named as (
    select
        arm_attributes.experiment_id,
        arm_attributes.attribute_name,
        experiments.starts_at,
        experiments.ends_at
    from arm_attributes
    inner join experiments
        on arm_attributes.experiment_id = experiments.experiment_id
    group by
        arm_attributes.experiment_id,
        arm_attributes.attribute_name,
        experiments.starts_at,
        experiments.ends_at
),

told as (
    select
        named.experiment_id,
        named.starts_at,
        told_of_profiles.profile_key,
        told_of_profiles.attribute_name,
        told_of_profiles.attribute_value,
        told_of_profiles.stated_at,
        max(
            case
                when told_of_profiles.stated_at <= named.starts_at then told_of_profiles.stated_at
            end
        ) over (
            partition by
                named.experiment_id, told_of_profiles.profile_key, told_of_profiles.attribute_name
        ) as in_force_from
    from told_of_profiles
    inner join named
        on told_of_profiles.attribute_name = named.attribute_name
    where told_of_profiles.stated_at < coalesce(named.ends_at, cast('9999-12-31' as timestamp))
),

-- Of what was told before the start only the last was still so then.
final as (
    select
        told.experiment_id,
        arm_attributes.arm,
        told.profile_key,
        min(greatest(told.stated_at, told.starts_at)) as assigned_at
    from told
    inner join arm_attributes
        on
            told.experiment_id = arm_attributes.experiment_id
            and told.attribute_name = arm_attributes.attribute_name
            and told.attribute_value = arm_attributes.attribute_value
    where told.stated_at > told.starts_at or told.stated_at = told.in_force_from
    group by told.experiment_id, arm_attributes.arm, told.profile_key
)

select * from final
