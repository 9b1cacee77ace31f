"""Compiled optimizers, one algorithm per file; ``status`` and ``arguments`` are shared."""
