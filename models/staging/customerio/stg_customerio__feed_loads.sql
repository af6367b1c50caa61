{{ feed_loads('customerio') }}
