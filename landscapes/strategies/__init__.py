"""Strategies: where the next searches start."""
