-- All of history: each statement is laid over those before it, so that a late one may belong under
-- all others.
with user_attributes as (
    select * from {{ ref('stg_mparticle__user_attributes') }}
    where
        profile_key is not null
        and occurred_at <= {{ as_of() }}
        and coalesce(environment, 'production') <> 'development'
),

opt_outs as (
    select * from {{ ref('stg_mparticle__opt_outs') }}
    where profile_key is not null and occurred_at <= {{ as_of() }}
),

behaviour_events as (
    select * from {{ ref('int_behaviour_events') }}
    where
        profile_key is not null
        and occurred_at <= {{ as_of() }}
        and coalesce(environment, 'production') <> 'development'
),

audience_memberships as (
    select * from {{ ref('stg_mparticle__audience_memberships') }}
    where profile_key is not null and changed_at <= {{ as_of() }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

-- Each statement is laid over those before it; what a batch deletes goes after what it sets. Who
-- only did something, opted out or entered an audience is known to mParticle too.
statements as (
    select
        profile_key,
        attributes as patch,
        0 as patch_rank,
        occurred_at
    from user_attributes
    where attributes is not null

    union all

    select
        profile_key,
        {{ json_nulls('deleted_attributes') }} as patch,
        1 as patch_rank,
        occurred_at
    from user_attributes
    where deleted_attributes is not null

    union all

    select
        profile_key,
        '{}' as patch,
        0 as patch_rank,
        max(occurred_at) as occurred_at
    from behaviour_events
    group by profile_key

    union all

    select
        profile_key,
        '{}' as patch,
        0 as patch_rank,
        max(occurred_at) as occurred_at
    from opt_outs
    group by profile_key

    union all

    select
        profile_key,
        '{}' as patch,
        0 as patch_rank,
        max(changed_at) as occurred_at
    from audience_memberships
    group by profile_key
),

-- What is said again counts where it was said last: mParticle repeats everything with each batch.
patches as (
    select
        profile_people.person_id,
        statements.patch,
        statements.patch_rank,
        max(statements.occurred_at) as occurred_at
    from statements
    inner join profile_people
        on statements.profile_key = profile_people.profile_key
    group by profile_people.person_id, statements.patch, statements.patch_rank
),

folded as (
    select
        person_id,
        {{ json_fold('patch', ['occurred_at', 'patch_rank', 'patch']) }} as attributes,
        max(occurred_at) as updated_at
    from patches
    group by person_id
),

final as (
    select
        person_id,
        {{ json_text('attributes', '$FirstName') }} as first_name,
        {{ json_text('attributes', '$LastName') }} as last_name,
        {{ json_sorted('attributes') }} as attributes,
        updated_at
    from folded
)

select * from final
