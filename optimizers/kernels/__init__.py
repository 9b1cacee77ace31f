"""Compiled optimizers, one algorithm a file."""
