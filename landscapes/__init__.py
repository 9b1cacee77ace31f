"""What has been found, and how to find more."""

from thalweg.landscapes.errors import LockedError, RejectedError, StoreError
from thalweg.landscapes.executors import Processes, dask_executor
from thalweg.landscapes.filling import fill_property
from thalweg.landscapes.landscape import Landscape
from thalweg.landscapes.marking import mark_verified
from thalweg.landscapes.merge import merge
from thalweg.landscapes.records import CONVERGED, AddedSearch, Minimum, Search, TransitionState
from thalweg.landscapes.tolerances import Tolerances
from thalweg.landscapes.verify import Problem, verify

__all__ = [
    "CONVERGED",
    "AddedSearch",
    "Landscape",
    "LockedError",
    "Minimum",
    "Problem",
    "Processes",
    "RejectedError",
    "Search",
    "StoreError",
    "Tolerances",
    "TransitionState",
    "dask_executor",
    "fill_property",
    "mark_verified",
    "merge",
    "verify",
]
