"""Kinetics of a kinetic transition network: rate constants, passage times, relaxation times, heat capacities.

Pickles written before the rooms name this package as the module of ``Kinetics``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thalweg.potentials.lazy import lazy_names

if TYPE_CHECKING:
    from thalweg.analysis.kinetics.rate_constants import Kinetics
    from thalweg.analysis.kinetics.thermodynamics import Thermodynamics

__all__ = ["Kinetics", "Thermodynamics"]

__getattr__, __dir__ = lazy_names(__name__, {"Kinetics": "rate_constants", "Thermodynamics": "thermodynamics"})
