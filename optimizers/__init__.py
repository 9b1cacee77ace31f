"""How one point moves: minimisers, basin-hopping, elastic bands, eigenvector-following and pathways."""

from thalweg.optimizers.minimise import minimise
from thalweg.optimizers.results import MinimiseResult, TransitionStateResult
from thalweg.optimizers.rules import ORIGINAL_RULES, Rules, default_rules
from thalweg.optimizers.transition_states import find_transition_states

__all__ = [
    "ORIGINAL_RULES",
    "MinimiseResult",
    "Rules",
    "TransitionStateResult",
    "default_rules",
    "find_transition_states",
    "minimise",
]
