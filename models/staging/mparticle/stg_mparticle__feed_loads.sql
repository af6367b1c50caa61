{{ feed_loads('mparticle') }}
