{{
    config(
        pre_hook="{{ settle_components(ref('int_loose_edges')) }}",
        post_hook="{{ forget_rounds() }}"
    )
}}

-- depends_on: {{ ref('int_loose_edges') }}
{{ select_components() }}
