"""Loaders: the outside world into raw tables, with dlt."""
