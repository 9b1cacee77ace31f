"""Optimizers on a GPU."""
