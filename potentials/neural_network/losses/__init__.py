"""Losses of a network's outputs: their names, and their values with two derivatives by the outputs."""
