"""The static report for the retention lead: one HTML file, no network."""
