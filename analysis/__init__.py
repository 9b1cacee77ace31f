"""What it means: kinetic transition networks, disconnectivity graphs, and how well each minimum predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thalweg.potentials.lazy import lazy_names

if TYPE_CHECKING:
    from thalweg.analysis.basins import escape_energies, monotonic_basins
    from thalweg.analysis.classifier import LandscapeClassifier
    from thalweg.analysis.colours import RED_TO_BLUE
    from thalweg.analysis.compare import Comparison
    from thalweg.analysis.conversions import from_sklearn, layer_matrices, to_numpy, to_sklearn, to_torch
    from thalweg.analysis.decision_grids import decision_grid
    from thalweg.analysis.decision_maps import plot_decision_map, plot_decision_maps
    from thalweg.analysis.disconnectivity import DisconnectivityGraph
    from thalweg.analysis.energy_path import LandscapePath, landscape_path
    from thalweg.analysis.ensembles import Ensemble, ensemble_table
    from thalweg.analysis.exchange import read_points
    from thalweg.analysis.kinetic_monte_carlo import PassageSample
    from thalweg.analysis.kinetics import Kinetics
    from thalweg.analysis.network import KineticTransitionNetwork
    from thalweg.analysis.panels import plot_graphs
    from thalweg.analysis.paths import Path
    from thalweg.analysis.pathsample import read_pathsample
    from thalweg.analysis.predictions import agreement, class_probabilities, predicted_classes
    from thalweg.analysis.rate_matrices import branching_probabilities, rate_matrix
    from thalweg.analysis.regroup import Regrouping
    from thalweg.analysis.roc import auc, auc_table, roc_auc
    from thalweg.analysis.rotational import moments_of_inertia
    from thalweg.analysis.scores import confusion, keep_scores, mislabelled_table, score_table
    from thalweg.analysis.thermodynamics import Thermodynamics
    from thalweg.analysis.tree import SuperbasinTree

__all__ = [
    "RED_TO_BLUE",
    "Comparison",
    "DisconnectivityGraph",
    "Ensemble",
    "KineticTransitionNetwork",
    "Kinetics",
    "LandscapeClassifier",
    "LandscapePath",
    "PassageSample",
    "Path",
    "Regrouping",
    "SuperbasinTree",
    "Thermodynamics",
    "agreement",
    "auc",
    "auc_table",
    "branching_probabilities",
    "class_probabilities",
    "confusion",
    "decision_grid",
    "ensemble_table",
    "escape_energies",
    "from_sklearn",
    "keep_scores",
    "landscape_path",
    "layer_matrices",
    "mislabelled_table",
    "moments_of_inertia",
    "monotonic_basins",
    "plot_decision_map",
    "plot_decision_maps",
    "plot_graphs",
    "predicted_classes",
    "rate_matrix",
    "read_pathsample",
    "read_points",
    "roc_auc",
    "score_table",
    "to_numpy",
    "to_sklearn",
    "to_torch",
]

# Loaded when first asked for: the command line lives here too and must not wait for matplotlib to answer.
_HOMES = {
    "RED_TO_BLUE": "colours",
    "Comparison": "compare",
    "DisconnectivityGraph": "disconnectivity",
    "Ensemble": "ensembles",
    "KineticTransitionNetwork": "network",
    "Kinetics": "kinetics",
    "LandscapeClassifier": "classifier",
    "LandscapePath": "energy_path",
    "PassageSample": "kinetic_monte_carlo",
    "Path": "paths",
    "Regrouping": "regroup",
    "SuperbasinTree": "tree",
    "Thermodynamics": "thermodynamics",
    "agreement": "predictions",
    "auc": "roc",
    "auc_table": "roc",
    "branching_probabilities": "rate_matrices",
    "class_probabilities": "predictions",
    "confusion": "scores",
    "decision_grid": "decision_grids",
    "ensemble_table": "ensembles",
    "escape_energies": "basins",
    "from_sklearn": "conversions",
    "keep_scores": "scores",
    "landscape_path": "energy_path",
    "layer_matrices": "conversions",
    "mislabelled_table": "scores",
    "moments_of_inertia": "rotational",
    "monotonic_basins": "basins",
    "plot_decision_map": "decision_maps",
    "plot_decision_maps": "decision_maps",
    "plot_graphs": "panels",
    "predicted_classes": "predictions",
    "rate_matrix": "rate_matrices",
    "read_pathsample": "pathsample",
    "read_points": "exchange",
    "roc_auc": "roc",
    "score_table": "scores",
    "to_numpy": "conversions",
    "to_sklearn": "conversions",
    "to_torch": "conversions",
}


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
