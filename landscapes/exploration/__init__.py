"""Exploration: run searches in sequence on threads, processes or a cluster."""

from thalweg.potentials.lazy import lazy_names

# Pickles written while this package was a module find its names here
__getattr__, __dir__ = lazy_names(__name__, {"Progress": "sequence"})
