"""Scikit-learn estimators that explore the loss of a network."""
