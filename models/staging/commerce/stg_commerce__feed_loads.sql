{{ feed_loads('commerce') }}
