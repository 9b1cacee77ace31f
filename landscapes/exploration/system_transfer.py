"""Transfer of a system to worker processes, once per process."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections import OrderedDict

from threadpoolctl import threadpool_limits

from thalweg.landscapes.exploration.tasks import Task, run_task
from thalweg.landscapes.records import TaskResult
from thalweg.potentials.system import System

__all__ = ["MISSING", "Parcel", "run_sent"]

MISSING = "this process does not have the system"
"""What `run_sent` returns where the system must be sent along."""

_KEPT = 4  # systems a process keeps: a cluster may serve several explorations
_parcels: OrderedDict[str, bytes] = OrderedDict()
_lock = threading.Lock()
_own = threading.local()


class Parcel:
    """System made ready for sending: pickled once for any number of workers.

    Parameters
    ----------
    system : System
        What is explored.

    Raises
    ------
    ValueError
        If it cannot be pickled.
    """

    def __init__(self, system: System) -> None:
        try:
            self.data = pickle.dumps(system, pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ValueError(
                f"the system cannot be sent to other processes ({error}): use threads, or a function defined at "
                "the top of a module that the workers can import"
            ) from error
        self.key = hashlib.sha256(self.data).hexdigest()


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
        _own.key, _own.system = key, pickle.loads(data)
    return _own.system
