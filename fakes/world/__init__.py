"""The seeded world: people, messages, orders and a known truth, one subject a module."""
