"""Surrogates: Gaussian processes that learn a surface from few calls, and searches on them."""
