{{ feed_loads('experiments') }}
