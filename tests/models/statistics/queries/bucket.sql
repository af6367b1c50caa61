select
    {{ hash_bucket('salt', 'id') }} as bucket,
    {{ hash_bucket("'spring'", 'id', buckets=100) }} as small
from arguments order by i
