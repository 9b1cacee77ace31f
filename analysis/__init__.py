"""What it means: kinetic transition networks, disconnectivity graphs, and how well each minimum predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thalweg.potentials.lazy import lazy_names

if TYPE_CHECKING:
    from thalweg.analysis.basins import escape_energies, monotonic_basins
    from thalweg.analysis.colours import RED_TO_BLUE
    from thalweg.analysis.disconnectivity import DisconnectivityGraph
    from thalweg.analysis.exchange import read_points
    from thalweg.analysis.kinetic_monte_carlo import PassageSample
    from thalweg.analysis.kinetics import Kinetics
    from thalweg.analysis.network import KineticTransitionNetwork
    from thalweg.analysis.panels import plot_graphs
    from thalweg.analysis.paths import Path
    from thalweg.analysis.pathsample import read_pathsample
    from thalweg.analysis.rate_matrices import branching_probabilities, rate_matrix
    from thalweg.analysis.regroup import Regrouping
    from thalweg.analysis.roc import auc, auc_table, roc_auc
    from thalweg.analysis.rotational import moments_of_inertia
    from thalweg.analysis.thermodynamics import Thermodynamics
    from thalweg.analysis.tree import SuperbasinTree

__all__ = [
    "RED_TO_BLUE",
    "DisconnectivityGraph",
    "KineticTransitionNetwork",
    "Kinetics",
    "PassageSample",
    "Path",
    "Regrouping",
    "SuperbasinTree",
    "Thermodynamics",
    "auc",
    "auc_table",
    "branching_probabilities",
    "escape_energies",
    "moments_of_inertia",
    "monotonic_basins",
    "plot_graphs",
    "rate_matrix",
    "read_pathsample",
    "read_points",
    "roc_auc",
]

# Loaded when first asked for: the command line lives here too and must not wait for matplotlib to answer.
_HOMES = {
    "RED_TO_BLUE": "colours",
    "DisconnectivityGraph": "disconnectivity",
    "KineticTransitionNetwork": "network",
    "Kinetics": "kinetics",
    "PassageSample": "kinetic_monte_carlo",
    "Path": "paths",
    "Regrouping": "regroup",
    "SuperbasinTree": "tree",
    "Thermodynamics": "thermodynamics",
    "auc": "roc",
    "auc_table": "roc",
    "branching_probabilities": "rate_matrices",
    "escape_energies": "basins",
    "moments_of_inertia": "rotational",
    "monotonic_basins": "basins",
    "plot_graphs": "panels",
    "rate_matrix": "rate_matrices",
    "read_pathsample": "pathsample",
    "read_points": "exchange",
    "roc_auc": "roc",
}


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
