"""Analysis of landscapes: kinetic transition networks, kinetics, disconnectivity graphs and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thalweg.potentials.lazy import lazy_names

if TYPE_CHECKING:
    from thalweg.analysis.comparison.table import Comparison
    from thalweg.analysis.curvature.sharpness import RankCorrelation, keep_sharpness, rank_correlations, sharpness_table
    from thalweg.analysis.curvature.spectrum import HessianSpectrum, hessian_spectrum
    from thalweg.analysis.disconnectivity.colour_maps import RED_TO_BLUE
    from thalweg.analysis.disconnectivity.graph import DisconnectivityGraph
    from thalweg.analysis.disconnectivity.side_by_side import plot_graphs
    from thalweg.analysis.disconnectivity.superbasin_tree import SuperbasinTree
    from thalweg.analysis.estimators.classifier import LandscapeClassifier
    from thalweg.analysis.estimators.regressor import LandscapeRegressor
    from thalweg.analysis.kinetics.kinetic_monte_carlo import PassageSample
    from thalweg.analysis.kinetics.lumping import Regrouping
    from thalweg.analysis.kinetics.passages.distribution import FirstPassageDistribution
    from thalweg.analysis.kinetics.passages.path_shares import PathShare
    from thalweg.analysis.kinetics.rate_constants import Kinetics
    from thalweg.analysis.kinetics.rate_matrices import branching_probabilities, rate_matrix
    from thalweg.analysis.kinetics.thermodynamics import Thermodynamics
    from thalweg.analysis.models.jax_loss import from_jax
    from thalweg.analysis.models.torch_loss import from_torch
    from thalweg.analysis.networks.basins import escape_energies, monotonic_basins
    from thalweg.analysis.networks.energy_path import LandscapePath, landscape_path
    from thalweg.analysis.networks.exchange import read_points
    from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
    from thalweg.analysis.networks.lowest_barrier_paths import Path
    from thalweg.analysis.networks.molecular_motion import MolecularMotion
    from thalweg.analysis.networks.pathsample import read_pathsample
    from thalweg.analysis.networks.rotational_factors import moments_of_inertia
    from thalweg.analysis.prediction.conversions import layer_matrices, to_numpy, to_torch
    from thalweg.analysis.prediction.decision_grids import decision_grid
    from thalweg.analysis.prediction.decision_maps import plot_decision_map, plot_decision_maps
    from thalweg.analysis.prediction.ensembles import Ensemble, ensemble_table
    from thalweg.analysis.prediction.predictions import agreement, class_probabilities, predicted_classes
    from thalweg.analysis.prediction.roc import auc, auc_table, roc_auc
    from thalweg.analysis.prediction.scikit_learn import from_sklearn, to_sklearn
    from thalweg.analysis.prediction.scores import confusion, keep_scores, mislabelled_table, score_table
    from thalweg.analysis.slices.linear_barrier import LinearBarrier, linear_barrier
    from thalweg.analysis.slices.loss_slice import LossSlice, loss_slice
    from thalweg.analysis.slices.loss_surface import LossSurface, loss_surface
    from thalweg.analysis.slices.merge_tree import SaddleMinimumDistance, merge_tree, saddle_minimum_distance
    from thalweg.analysis.vibrations.thermochemistry import Thermochemistry
    from thalweg.analysis.view.landscape_page import LandscapePage

__all__ = [
    "RED_TO_BLUE",
    "Comparison",
    "DisconnectivityGraph",
    "Ensemble",
    "FirstPassageDistribution",
    "HessianSpectrum",
    "KineticTransitionNetwork",
    "Kinetics",
    "LandscapeClassifier",
    "LandscapePage",
    "LandscapePath",
    "LandscapeRegressor",
    "LinearBarrier",
    "LossSlice",
    "LossSurface",
    "MolecularMotion",
    "PassageSample",
    "Path",
    "PathShare",
    "RankCorrelation",
    "Regrouping",
    "SaddleMinimumDistance",
    "SuperbasinTree",
    "Thermochemistry",
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
    "from_jax",
    "from_sklearn",
    "from_torch",
    "hessian_spectrum",
    "keep_scores",
    "keep_sharpness",
    "landscape_path",
    "layer_matrices",
    "linear_barrier",
    "loss_slice",
    "loss_surface",
    "merge_tree",
    "mislabelled_table",
    "moments_of_inertia",
    "monotonic_basins",
    "plot_decision_map",
    "plot_decision_maps",
    "plot_graphs",
    "predicted_classes",
    "rank_correlations",
    "rate_matrix",
    "read_pathsample",
    "read_points",
    "roc_auc",
    "saddle_minimum_distance",
    "score_table",
    "sharpness_table",
    "to_numpy",
    "to_sklearn",
    "to_torch",
]

# Loaded when first asked for: the command line lives here too and must not wait for matplotlib to answer.
_HOMES = {
    "RED_TO_BLUE": "disconnectivity.colour_maps",
    "Comparison": "comparison.table",
    "DisconnectivityGraph": "disconnectivity.graph",
    "Ensemble": "prediction.ensembles",
    "FirstPassageDistribution": "kinetics.passages.distribution",
    "HessianSpectrum": "curvature.spectrum",
    "KineticTransitionNetwork": "networks.kinetic_transition_network",
    "Kinetics": "kinetics.rate_constants",
    "LandscapeClassifier": "estimators.classifier",
    "LandscapePage": "view.landscape_page",
    "LandscapePath": "networks.energy_path",
    "LandscapeRegressor": "estimators.regressor",
    "LinearBarrier": "slices.linear_barrier",
    "LossSlice": "slices.loss_slice",
    "LossSurface": "slices.loss_surface",
    "PassageSample": "kinetics.kinetic_monte_carlo",
    "Path": "networks.lowest_barrier_paths",
    "PathShare": "kinetics.passages.path_shares",
    "RankCorrelation": "curvature.sharpness",
    "Regrouping": "kinetics.lumping",
    "SaddleMinimumDistance": "slices.merge_tree",
    "SuperbasinTree": "disconnectivity.superbasin_tree",
    "MolecularMotion": "networks.molecular_motion",
    "Thermochemistry": "vibrations.thermochemistry",
    "Thermodynamics": "kinetics.thermodynamics",
    "agreement": "prediction.predictions",
    "auc": "prediction.roc",
    "auc_table": "prediction.roc",
    "branching_probabilities": "kinetics.rate_matrices",
    "class_probabilities": "prediction.predictions",
    "confusion": "prediction.scores",
    "decision_grid": "prediction.decision_grids",
    "ensemble_table": "prediction.ensembles",
    "escape_energies": "networks.basins",
    "from_jax": "models.jax_loss",
    "from_sklearn": "prediction.scikit_learn",
    "from_torch": "models.torch_loss",
    "hessian_spectrum": "curvature.spectrum",
    "keep_scores": "prediction.scores",
    "keep_sharpness": "curvature.sharpness",
    "landscape_path": "networks.energy_path",
    "layer_matrices": "prediction.conversions",
    "linear_barrier": "slices.linear_barrier",
    "loss_slice": "slices.loss_slice",
    "loss_surface": "slices.loss_surface",
    "merge_tree": "slices.merge_tree",
    "mislabelled_table": "prediction.scores",
    "moments_of_inertia": "networks.rotational_factors",
    "monotonic_basins": "networks.basins",
    "plot_decision_map": "prediction.decision_maps",
    "plot_decision_maps": "prediction.decision_maps",
    "plot_graphs": "disconnectivity.side_by_side",
    "predicted_classes": "prediction.predictions",
    "rank_correlations": "curvature.sharpness",
    "rate_matrix": "kinetics.rate_matrices",
    "read_pathsample": "networks.pathsample",
    "read_points": "networks.exchange",
    "roc_auc": "prediction.roc",
    "saddle_minimum_distance": "slices.merge_tree",
    "score_table": "prediction.scores",
    "sharpness_table": "curvature.sharpness",
    "to_numpy": "prediction.conversions",
    "to_sklearn": "prediction.scikit_learn",
    "to_torch": "prediction.conversions",
}


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
