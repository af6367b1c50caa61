"""mParticle: batches of events, and audience memberships."""
