"""Analytic surfaces with known minima and transition states, for tests and demonstrations."""

from thalweg.potentials.lazy import lazy_names

# Pickles written while this package was a module find its names here
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Himmelblau": "two_dimensional",
        "MuellerBrown": "two_dimensional",
        "SixHumpCamel": "two_dimensional",
        "ThreeHumpCamel": "two_dimensional",
        "WolfeQuapp": "two_dimensional",
    },
)
