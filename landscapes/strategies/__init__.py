"""Strategies: choose where to search next."""
