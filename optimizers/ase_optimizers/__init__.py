"""Optimizers called as ASE's are: ``LBFGS(atoms, logfile="-").run(fmax=0.01)``, ``irun``, ``attach``, trajectories."""

from typing import TYPE_CHECKING

from thalweg.potentials.lazy import lazy_names

if TYPE_CHECKING:
    from thalweg.optimizers.ase_optimizers.lbfgs import LBFGS
    from thalweg.optimizers.ase_optimizers.second_order import EigenvectorFollowing, SecondOrder

__all__ = ["LBFGS", "EigenvectorFollowing", "SecondOrder"]

# Pickles written while this package was a module find its names here
__getattr__, __dir__ = lazy_names(
    __name__, {"LBFGS": "lbfgs", "SecondOrder": "second_order", "EigenvectorFollowing": "second_order"}
)
