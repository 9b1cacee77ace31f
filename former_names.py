"""Former module names, so that old pickles and stores still load."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType
from typing import Any

__all__ = ["FORMER", "FormerNames"]

# Modules whose classes and functions pickles and stores name
_ROOMS = {
    "potentials": {
        "cluster_symmetry": "symmetry.clusters",
        "ljat": "ljat.calculator",
        "ljat_hessian": "ljat.hessian",
        "ljat_kernels": "ljat.energy",
        "network": "neural_network.loss",
        "network_hessian": "neural_network.hessian",
        "network_kernels": "neural_network.energy",
        "network_symmetry": "neural_network.symmetry",
        "no_symmetry": "symmetry.no_symmetry",
        "surfaces_kernels": "surfaces.kernels",
        "surfaces_wells": "surfaces.double_wells",
        "weights": "neural_network.weights",
    },
    "optimizers": {
        "ase_classes": "ase_optimizers",
        "bands": "elastic_band",
        "chain": "basin_hopping.chain",
        "hybrid": "eigenvector_following_hybrid",
        "mode_steps": "ase_optimizers.mode_steps",
        "moves": "basin_hopping.moves",
        "splice": "basin_hopping.cluster_splice",
        "tempering": "basin_hopping.tempering",
        "unit_moves": "basin_hopping.network_moves",
    },
    "landscapes": {
        "estimates": "discoveries.arrivals",
        "executors": "exploration.executors",
        "spanning": "lowest_paths",
        "strategy": "strategies.base",
        "verify": "maintenance.verify",
    },
    "analysis": {
        "classifier": "estimators.classifier",
        "compare": "comparison.table",
        "elimination": "kinetics.solvers",
        "ensembles": "prediction.ensembles",
        "kinetic_monte_carlo": "kinetics.kinetic_monte_carlo",
        "landscape_path": "networks.energy_path",
        "layout": "disconnectivity.layout",
        "network": "networks.kinetic_transition_network",
        "paths": "networks.lowest_barrier_paths",
        "regroup": "kinetics.lumping",
        "thermodynamics": "kinetics.thermodynamics",
        "tree": "disconnectivity.superbasin_tree",
    },
}

FORMER = {
    f"thalweg.{package}.{old}": f"thalweg.{package}.{new}"
    for package, rooms in _ROOMS.items()
    for old, new in rooms.items()
}
"""The module of today for each former one."""


# Importing a module binds it in its package, over the function that the package exports under this name. A module that
# is there already is not bound.
_NAMED_AS_FUNCTIONS = ("thalweg.analysis.landscape_path", "thalweg.landscapes.verify")


class FormerNames(MetaPathFinder):
    """Find a module under its former name, as one that has the names of today's module.

    Examples
    --------
    >>> from thalweg.potentials.ljat_kernels import __name__ as found
    >>> found
    'thalweg.potentials.ljat_kernels'
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to make the module, or None for a name that no module of Thalweg has ever had."""
        now = FORMER.get(fullname)
        return None if now is None else spec_from_loader(fullname, _NamesOf(now))

    def install(self) -> None:
        """Ask this finder for modules that all others have not found."""
        sys.meta_path.append(self)
        for name in _NAMED_AS_FUNCTIONS:
            spec = self.find_spec(name)
            assert spec is not None
            sys.modules[name] = module_from_spec(spec)
            _NamesOf(FORMER[name]).exec_module(sys.modules[name])


class _NamesOf(Loader):
    """Make a module without anything of its own: its names are looked up in another one."""

    def __init__(self, now: str):
        self._now = now

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        def look_up(name: str) -> Any:
            # tools that go through all loaded modules ask for these, which must not load another one
            if name.startswith("__"):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            return getattr(import_module(self._now), name)

        module.__dict__["__getattr__"] = look_up
