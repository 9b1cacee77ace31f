"""Predictions of the minima of a network's loss, and their scores."""
