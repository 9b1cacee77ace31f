"""Optimizers that move one point: minimisation, basin-hopping, elastic bands, transition states and pathways."""

from typing import TYPE_CHECKING

from thalweg.potentials.lazy import lazy_names

if TYPE_CHECKING:
    from thalweg.optimizers.ase_optimizers.lbfgs import LBFGS
    from thalweg.optimizers.ase_optimizers.second_order import EigenvectorFollowing, SecondOrder
    from thalweg.optimizers.basin_hopping.cluster_splice import SpliceClusters
    from thalweg.optimizers.basin_hopping.dynamics import BasinHopping, BasinHoppingResult, basin_hopping_steps
    from thalweg.optimizers.basin_hopping.molecular_moves import Dihedrals, ExchangeAtoms, Molecules
    from thalweg.optimizers.basin_hopping.moves import AllCoordinates, Move, SurfaceAtom
    from thalweg.optimizers.basin_hopping.network_moves import HiddenUnits, SpliceNetworks
    from thalweg.optimizers.basin_hopping.random_positions import RandomPositions
    from thalweg.optimizers.basin_hopping.tempering import TemperedBasinHopping
    from thalweg.optimizers.eigenvalues import lowest_eigenvalues
    from thalweg.optimizers.eigenvector_following_hybrid import HybridResult, hybrid_eigenvector_following
    from thalweg.optimizers.elastic_band import DNEB, Band, connect_pair, dneb
    from thalweg.optimizers.minimisation import minimise
    from thalweg.optimizers.pathways import Pathway, pathway
    from thalweg.optimizers.results import MinimiseResult, TransitionStateResult
    from thalweg.optimizers.rules import ORIGINAL_RULES, Rules, default_rules
    from thalweg.optimizers.transition_states import find_transition_states

__all__ = [
    "DNEB",
    "LBFGS",
    "ORIGINAL_RULES",
    "AllCoordinates",
    "Band",
    "BasinHopping",
    "BasinHoppingResult",
    "Dihedrals",
    "EigenvectorFollowing",
    "ExchangeAtoms",
    "HiddenUnits",
    "HybridResult",
    "MinimiseResult",
    "Molecules",
    "Move",
    "Pathway",
    "RandomPositions",
    "Rules",
    "SecondOrder",
    "SpliceClusters",
    "SpliceNetworks",
    "SurfaceAtom",
    "TemperedBasinHopping",
    "TransitionStateResult",
    "basin_hopping_steps",
    "connect_pair",
    "default_rules",
    "dneb",
    "find_transition_states",
    "hybrid_eigenvector_following",
    "lowest_eigenvalues",
    "minimise",
    "pathway",
]

# Compiled when first asked for: whoever only minimises does not wait for bands
_HOMES = {
    "Dihedrals": "basin_hopping.molecular_moves",
    "ExchangeAtoms": "basin_hopping.molecular_moves",
    "Molecules": "basin_hopping.molecular_moves",
    "LBFGS": "ase_optimizers.lbfgs",
    "EigenvectorFollowing": "ase_optimizers.second_order",
    "SecondOrder": "ase_optimizers.second_order",
    "BasinHopping": "basin_hopping.dynamics",
    "BasinHoppingResult": "basin_hopping.dynamics",
    "basin_hopping_steps": "basin_hopping.dynamics",
    "AllCoordinates": "basin_hopping.moves",
    "Move": "basin_hopping.moves",
    "SurfaceAtom": "basin_hopping.moves",
    "RandomPositions": "basin_hopping.random_positions",
    "SpliceClusters": "basin_hopping.cluster_splice",
    "HiddenUnits": "basin_hopping.network_moves",
    "SpliceNetworks": "basin_hopping.network_moves",
    "TemperedBasinHopping": "basin_hopping.tempering",
    "DNEB": "elastic_band",
    "Band": "elastic_band",
    "connect_pair": "elastic_band",
    "dneb": "elastic_band",
    "lowest_eigenvalues": "eigenvalues",
    "minimise": "minimisation",
    "MinimiseResult": "results",
    "TransitionStateResult": "results",
    "ORIGINAL_RULES": "rules",
    "Rules": "rules",
    "default_rules": "rules",
    "find_transition_states": "transition_states",
    "HybridResult": "eigenvector_following_hybrid",
    "hybrid_eigenvector_following": "eigenvector_following_hybrid",
    "Pathway": "pathways",
    "pathway": "pathways",
}


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
