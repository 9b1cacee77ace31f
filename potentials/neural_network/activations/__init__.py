"""Activations of hidden units: their names and properties, and their values with two derivatives."""
