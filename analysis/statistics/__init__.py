"""Intervals for proportions, means and single draws."""
