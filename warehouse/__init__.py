"""The warehouse: the only place that opens it."""
