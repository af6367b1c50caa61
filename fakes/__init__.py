"""Strict loopback stand-ins of the vendors' APIs, and a seeded world with known effects."""
