"""Stationary points from the files of other programs, and to files that other programs read."""
