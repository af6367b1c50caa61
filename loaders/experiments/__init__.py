"""Who a company assigned to which arm itself."""
