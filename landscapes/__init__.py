"""Landscapes: stores of stationary points, and the searches that find more of them."""

from thalweg.landscapes.discoveries.arrivals import Estimate, estimate
from thalweg.landscapes.discoveries.found_points import Discoveries
from thalweg.landscapes.discoveries.growth_curve import Forecast, forecast
from thalweg.landscapes.errors import (
    CalculationsFailedError,
    LockedError,
    RejectedError,
    StoreError,
    UnknownArrivalError,
    UntrustedError,
)
from thalweg.landscapes.exploration.executors import Processes, dask_executor
from thalweg.landscapes.landscape import Landscape
from thalweg.landscapes.lowest_paths import LowestPath
from thalweg.landscapes.maintenance.fill_path_lengths import fill_path_lengths
from thalweg.landscapes.maintenance.fill_property import fill_property
from thalweg.landscapes.maintenance.mark_verified import mark_verified
from thalweg.landscapes.maintenance.merge import merge
from thalweg.landscapes.maintenance.reconvergence import Reconvergence, reconverge
from thalweg.landscapes.maintenance.verify import Problem, verify
from thalweg.landscapes.records import (
    BASIN_HOPPING,
    CONVERGED,
    DOUBLE_ENDED,
    FROM_STATE,
    FROM_SYMMETRIC,
    SINGLE_ENDED,
    AddedMinimum,
    AddedSearch,
    Arrival,
    Minimum,
    Search,
    TransitionState,
)
from thalweg.landscapes.strategies.base import Choice, Strategy
from thalweg.landscapes.tolerances import Tolerances
from thalweg.landscapes.vibrations.frequencies import fill_frequencies

__all__ = [
    "BASIN_HOPPING",
    "CONVERGED",
    "DOUBLE_ENDED",
    "FROM_STATE",
    "FROM_SYMMETRIC",
    "SINGLE_ENDED",
    "AddedMinimum",
    "AddedSearch",
    "Arrival",
    "CalculationsFailedError",
    "Choice",
    "Discoveries",
    "Estimate",
    "Forecast",
    "Landscape",
    "LockedError",
    "LowestPath",
    "Minimum",
    "Problem",
    "Processes",
    "Reconvergence",
    "RejectedError",
    "Search",
    "StoreError",
    "Strategy",
    "Tolerances",
    "TransitionState",
    "UnknownArrivalError",
    "UntrustedError",
    "dask_executor",
    "estimate",
    "fill_frequencies",
    "fill_path_lengths",
    "fill_property",
    "forecast",
    "mark_verified",
    "merge",
    "reconverge",
    "verify",
]
