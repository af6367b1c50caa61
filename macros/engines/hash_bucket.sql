{#-
    The bucket, 0 to `buckets` - 1, that an id falls into: the first eight hexadecimal digits of
    md5(salt|id), modulo `buckets`. Any language with md5 gives the same answer, so an assignment
    can be checked anywhere. Take another salt for every holdout, or they hold out the same people.
-#}
{%- macro hash_bucket(salt, id, buckets=10000) -%}
    {{ return(adapter.dispatch('hash_bucket')(salt, id, buckets)) }}
{%- endmacro -%}

{%- macro default__hash_bucket(salt, id, buckets) -%}
    cast(cast(conv(substr(md5({{ salt }} || '|' || {{ id }}), 1, 8), 16, 10) as bigint)
    % {{ buckets }} as bigint)
{%- endmacro -%}

{%- macro duckdb__hash_bucket(salt, id, buckets) -%}
    cast(cast('0x' || substr(md5({{ salt }} || '|' || {{ id }}), 1, 8) as ubigint)
    % {{ buckets }} as bigint)
{%- endmacro -%}
