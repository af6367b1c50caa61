{{ feed_loads('people') }}
