"""Charts as static SVG, for the report and for notebooks alike."""
