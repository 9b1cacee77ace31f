"""Comparison of landscapes, of molecules and of networks."""
