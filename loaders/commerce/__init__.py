"""Orders and what belongs to them: items, refunds, cancellations, ads and currency rates."""
