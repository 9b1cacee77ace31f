"""Transfer of a system to worker processes, once per process."""

from __future__ import annotations

import copy
import hashlib
import pickle
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from thalweg.landscapes.exploration.executors import in_pool
from thalweg.landscapes.exploration.task import Task
from thalweg.landscapes.exploration.tasks import run_task
from thalweg.landscapes.exploration.worker_folders import enter_own_folder, use_own_folder
from thalweg.landscapes.records import TaskResult
from thalweg.potentials.ase_calculators import AtomsCalculator
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.stored_systems.calculators import build_calculator, describe_calculator
from thalweg.potentials.system import System

__all__ = ["MISSING", "Parcel", "run_sent"]

MISSING = "this process does not have the system"
"""What `run_sent` returns where the system must be sent along."""

_NOISE = 1e-6  # difference of an energy from itself, of the energy, that two calculations may have
_AWAY = 0.01  # angstrom
_KEPT = 4  # systems a process keeps: a cluster may serve several explorations
_parcels: OrderedDict[str, bytes] = OrderedDict()
_lock = threading.Lock()
_own = threading.local()


class Parcel:
    """System made ready for sending: pickled once for any number of workers.

    A calculator of ASE that cannot be pickled, such as one that holds a handle of a C library, is described by class
    and parameters, and each worker makes its own.

    Parameters
    ----------
    system : System
        What is explored.

    Raises
    ------
    ValueError
        If it can neither be pickled nor described.
    """

    def __init__(self, system: System) -> None:
        try:
            self.data = pickle.dumps(system, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # objects of other packages raise what they like
            described = _with_description(system)
            if described is None:
                raise ValueError(
                    f"the system cannot be sent to other processes ({error}): use threads, or a function defined at "
                    "the top of a module that the workers can import"
                ) from error
            self.data = pickle.dumps(described, pickle.HIGHEST_PROTOCOL)
        self.key = hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class _Described:
    """What stands for a calculator on its way to another process."""

    description: dict[str, Any]


def _with_description(system: System) -> System | None:
    """Return the system with a description of its calculator; None where that would be another calculator."""
    if system.atoms is None or isinstance(system.potential, FlatCalculator):
        return None
    described, kind = copy.copy(system), type(system.potential)
    try:
        # by its class: a name that ASE knows once a module is imported, a new process does not know
        named = {"class": f"{kind.__module__}:{kind.__qualname__}"}
        described.potential = _Described(describe_calculator(system.potential) | named)
        pickle.dumps(described, pickle.HIGHEST_PROTOCOL)
        x = system.x.copy()
        x[system.free] += _AWAY * np.sin(np.arange(system.n_free))  # there no calculator has a result from before
        energy = _rebuilt(described).energy(x)
        same = abs(energy - system.energy(x)) <= _NOISE * max(1.0, abs(energy))
    except Exception:
        return None
    return described if same else None


def _rebuilt(system: System) -> System:
    """Return a system with its calculator, made from the description that was sent in its place."""
    if isinstance(system.potential, _Described):
        described, system = system.potential, copy.copy(system)
        system.potential = build_calculator(described.description, trust=True)
    return system


def run_sent(key: str, data: bytes | None, task: Task) -> TaskResult | str:
    """Do a task in this process, or return MISSING where the system with this key has never been sent here."""
    with _lock:
        if data is not None:
            _parcels[key] = data
            while len(_parcels) > _KEPT:
                _parcels.popitem(last=False)
        data = _parcels.get(key)
    return MISSING if data is None else run_task(_system(key, data), task)


def _system(key: str, data: bytes) -> System:
    """Return this thread's own copy: potentials written in Python may not be shared between threads."""
    if getattr(_own, "key", None) != key:
        threadpool_limits(1)  # one thread a task; and sums in the order in which all other workers add them
        _own.system = _rebuilt(pickle.loads(data))
        if _own.system.atoms is not None and not isinstance(_own.system.potential, FlatCalculator):
            _separate(_own.system.potential)
        _own.key = key
    return _own.system


def _separate(calculator: AtomsCalculator) -> None:
    """Give a calculator a folder of its own, where other workers may run the same one."""
    if not use_own_folder(calculator) and in_pool():
        enter_own_folder()
