"""The endpoint for Customer.io's reporting webhooks: on disk first, then acknowledged."""
