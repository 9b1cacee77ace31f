"""Lennard-Jones with the Axilrod-Teller term: calculator, compiled energy and Hessian, GPU kernels."""

from thalweg.potentials.lazy import lazy_names

# Pickles written while this package was a module find its names here
__getattr__, __dir__ = lazy_names(__name__, {"LJAT": "calculator"})
