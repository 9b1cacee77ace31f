"""Compiled optimizers, one algorithm a file; ``status`` and ``arguments`` have what all of them share."""
