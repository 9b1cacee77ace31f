"""Lennard-Jones clusters with the Axilrod-Teller three-body term: energy, Hessian, symmetric starts, GPU functions."""

from thalweg.potentials.lazy import lazy_names

# Pickles written while this package was a module find its names here
__getattr__, __dir__ = lazy_names(__name__, {"LJAT": "calculator"})
