"""Optimizers called as ASE's are: ``LBFGS(atoms, logfile="-").run(fmax=0.01)``, ``irun``, ``attach``, trajectories."""

from thalweg.potentials.lazy import lazy_names

# Pickles written while this package was a module find its names here
__getattr__, __dir__ = lazy_names(
    __name__, {"LBFGS": "lbfgs", "SecondOrder": "second_order", "EigenvectorFollowing": "second_order"}
)
