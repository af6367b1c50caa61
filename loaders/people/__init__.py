"""Profiles from elsewhere, and merges of them."""
