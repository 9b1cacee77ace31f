"""How one point moves: minimisers, basin-hopping, elastic bands, eigenvector-following and pathways."""

from typing import TYPE_CHECKING

from thalweg.potentials.lazy import lazy_names

if TYPE_CHECKING:
    from thalweg.optimizers.ase_classes import LBFGS, EigenvectorFollowing, SecondOrder
    from thalweg.optimizers.bands import DNEB, Band, connect_pair, dneb
    from thalweg.optimizers.basin_hopping import BasinHopping, BasinHoppingResult, basin_hopping_steps
    from thalweg.optimizers.eigenvalues import lowest_eigenvalues
    from thalweg.optimizers.hybrid import HybridResult, hybrid_eigenvector_following
    from thalweg.optimizers.minimise_batch import minimise
    from thalweg.optimizers.moves import AllCoordinates, Move, SurfaceAtom
    from thalweg.optimizers.pathways import Pathway, pathway
    from thalweg.optimizers.results import MinimiseResult, TransitionStateResult
    from thalweg.optimizers.rules import ORIGINAL_RULES, Rules, default_rules
    from thalweg.optimizers.splice import SpliceClusters
    from thalweg.optimizers.tempering import TemperedBasinHopping
    from thalweg.optimizers.transition_states import find_transition_states
    from thalweg.optimizers.unit_moves import HiddenUnits, SpliceNetworks

__all__ = [
    "DNEB",
    "LBFGS",
    "ORIGINAL_RULES",
    "AllCoordinates",
    "Band",
    "BasinHopping",
    "BasinHoppingResult",
    "EigenvectorFollowing",
    "HiddenUnits",
    "HybridResult",
    "MinimiseResult",
    "Move",
    "Pathway",
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
    "LBFGS": "ase_classes",
    "EigenvectorFollowing": "ase_classes",
    "SecondOrder": "ase_classes",
    "BasinHopping": "basin_hopping",
    "BasinHoppingResult": "basin_hopping",
    "basin_hopping_steps": "basin_hopping",
    "AllCoordinates": "moves",
    "Move": "moves",
    "SurfaceAtom": "moves",
    "SpliceClusters": "splice",
    "HiddenUnits": "unit_moves",
    "SpliceNetworks": "unit_moves",
    "TemperedBasinHopping": "tempering",
    "DNEB": "bands",
    "Band": "bands",
    "connect_pair": "bands",
    "dneb": "bands",
    "lowest_eigenvalues": "eigenvalues",
    "minimise": "minimise_batch",
    "MinimiseResult": "results",
    "TransitionStateResult": "results",
    "ORIGINAL_RULES": "rules",
    "Rules": "rules",
    "default_rules": "rules",
    "find_transition_states": "transition_states",
    "HybridResult": "hybrid",
    "hybrid_eigenvector_following": "hybrid",
    "Pathway": "pathways",
    "pathway": "pathways",
}


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
