"""Customer.io's reporting webhooks."""
