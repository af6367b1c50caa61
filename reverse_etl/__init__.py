"""Reverse ETL: plan, deliver and record what leaves the warehouse."""
