"""Maintenance of stores: verify, merge, import points, fill properties."""
