"""Archive of one landscape's results: a small file from which tables and figures can be remade.

A file, NAME.npz, has the energies and AUC of all minima, the energies and minima of all transition states, the line of
measures.csv, the growth of the landscape, and the machine. So landscapes explored in different sessions, or on
different machines, meet on one page, and no session repeats the work of another.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.paper.claims.class_areas import class_areas
from thalweg.analysis.paper.growth import GrowthState, by_plan, stages_of, state_of
from thalweg.analysis.paper.measures import MEANINGS, from_csv, growth_measures, measures, shape_measures, to_csv
from thalweg.analysis.paper.plan import Job, Plan
from thalweg.analysis.systems.summary import summarise

__all__ = ["Found", "best_state", "find", "keep", "kept", "kept_path"]

_SHOWN = ("train_auc", "test_auc")  # what figures colour by
_STATE = ("done", "why", "seconds", "stages", "scale", "problems", "told")


class Found(NamedTuple):
    """Results of a landscape for tables and figures.

    Attributes
    ----------
    row : dict
        Its line of measures.csv.
    state : GrowthState
    failures : dict of str to int
        Numbers of failed searches by reason.
    network : KineticTransitionNetwork
        Its minima and transition states, with AUC as properties.
    where : str
        Date and machine of its exploration; "" for a store that is at hand.
    classes : list of dict
        AUC of each class by itself, where they were scored.
    """

    row: dict[str, Any]
    state: GrowthState
    failures: dict[str, int]
    network: KineticTransitionNetwork
    where: str = ""
    classes: Sequence[Mapping[str, float]] = ()


def kept_path(folder: Path, job: Job) -> Path:
    """Return the path of a landscape's file in a folder of results, or in one beside a page."""
    return folder / "networks" / f"{job.name}.npz"


def find(job: Job, plan: Plan, output: Path, page: Path | None) -> Found | None:
    """Return the results of a landscape, from its store or a kept file, whichever has the most searches.

    Parameters
    ----------
    job : Job
    plan : Plan
    output : Path
        Folder with ``landscapes/``.
    page : Path or None
        Folder beside a page, with the files that earlier calls kept.

    Returns
    -------
    Found or None
        None where no minimum is known.
    """
    at_hand = _from_store(job, plan, output)
    others = [kept(job, plan, folder) for folder in (page, output) if folder is not None]
    known = [one for one in (at_hand, *others) if one is not None]
    return max(known, key=lambda one: one.row["searches"] + one.row["steps"], default=None)


def _from_store(job: Job, plan: Plan, output: Path) -> Found | None:
    path = job.store(output)
    state = by_plan(state_of(path), plan, job)
    if state.get("stages") is None:
        return None
    summary = summarise(path)
    if not summary.minima:
        return None
    network = KineticTransitionNetwork.read(path)
    row = from_csv(to_csv([measures(job, path, state, summary, network)]))[0]
    return Found(_stopped(row, state), state, summary.failures, network, classes=class_areas(network))


def keep(found: Found, job: Job, plan: Plan, folder: Path, where: str) -> Path:
    """Write the file of a landscape and return its path; ``where`` is the date and machine of the exploration."""
    path, network, state = kept_path(folder, job), found.network, dict(found.state)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {name: network.properties[name] for name in _SHOWN if name in network.properties}
    arrays |= {name: getattr(network, name) for name in ("energies", "ts_energies")}
    arrays["ts_minima"] = network.ts_minima.astype(np.int32)
    told = {
        "options": _options(job), "row": to_csv([found.row]), "failures": found.failures,
        "state": {name: state[name] for name in _STATE if name in state},
        "where": where,
    }  # fmt: skip
    if found.classes:
        told["classes"] = to_csv(found.classes)
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, told=np.array(json.dumps(told)), **arrays)
    partial.replace(path)
    return path


def kept(job: Job, plan: Plan, folder: Path) -> Found | None:
    """Read the file of a landscape; None without a file, or if it belongs to another network, other data or scale.

    A landscape that ended by another rule, or at a lower limit, may not have ended by this plan.

    Raises
    ------
    OSError, ValueError
        If the file is damaged.
    """
    path = kept_path(folder, job)
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        told = json.loads(str(file["told"]))
        state = by_plan(told["state"], plan, job)
        if told["options"] != _options(job) or state.get("scale") != plan.scale:
            return None
        properties = {name: file[name] for name in _SHOWN if name in file}
        network = KineticTransitionNetwork(
            file["energies"], file["ts_energies"], file["ts_minima"], properties=properties
        )
    # shapes and forecasts are made again: an older file lacks some; what only a store could tell is unknown then
    again = shape_measures(network) | growth_measures(stages_of(state))
    known = from_csv(told["row"])[0] | again
    row = from_csv(to_csv([known | {name: math.nan for name in MEANINGS if name not in known}]))[0]
    classes = from_csv(told.get("classes", ""))
    return Found(_stopped(row, state), state, told["failures"], network, told["where"], classes)


def _stopped(row: Mapping[str, Any], state: GrowthState) -> dict[str, Any]:
    """Return a line of measures.csv with the reason for which its landscape has ended, "" where it has not."""
    return {**row, "stopped": state.get("why", "")}


def best_state(job: Job, plan: Plan, output: Path, page: Path | None) -> GrowthState:
    """Return the growth of a landscape: that of its kept file where it has ended, that of its store otherwise."""
    state = by_plan(state_of(job.store(output)), plan, job)
    if page is None or state.get("done"):
        return state
    earlier = kept(job, plan, page)
    return earlier.state if earlier is not None and earlier.state.get("done") else state


def _options(job: Job) -> dict[str, Any]:
    """Return the options of a landscape as JSON has them, without the folder that its data were read from."""
    return json.loads(json.dumps({name: value for name, value in job.options.items() if name != "path"}))
