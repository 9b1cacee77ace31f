"""Smoothness of potentials: places where a gradient jumps."""
