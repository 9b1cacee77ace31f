"""What tables and figures need of one landscape, from its store or from a small file that outlives it.

A file, NAME.npz, has the energies and AUC of all minima, the energies and minima of all transition states, the line of
measures.csv, how the landscape grew, and on what. So landscapes explored in different sessions, or on different
machines, meet on one page, and no session does again what another has done.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.analysis.networks.kinetic_transition_network import KineticTransitionNetwork
from thalweg.analysis.paper.growth import state_of
from thalweg.analysis.paper.measures import from_csv, measures, to_csv
from thalweg.analysis.paper.plan import Job, Plan
from thalweg.analysis.systems.summary import summarise

__all__ = ["Found", "best_state", "find", "keep", "kept", "kept_path"]

_SHOWN = ("train_auc", "test_auc")  # what figures colour by
_STATE = ("done", "why", "seconds", "stages", "scale", "problems", "told")


class Found(NamedTuple):
    """A landscape, as tables and figures see it.

    Attributes
    ----------
    row : dict
        Of measures.csv.
    state : dict
        As :func:`thalweg.analysis.paper.growth.state_of` gives it.
    failures : dict of str to int
        Searches that failed, by reason.
    network : KineticTransitionNetwork
        With AUC as properties.
    where : str
        When it was explored, and on what machine; "" for a store that is at hand.
    """

    row: dict[str, Any]
    state: dict[str, Any]
    failures: dict[str, int]
    network: KineticTransitionNetwork
    where: str = ""


def kept_path(folder: Path, job: Job) -> Path:
    """Return the file of a landscape in a folder of results, or one beside a page."""
    return folder / "networks" / f"{job.name}.npz"


def find(job: Job, plan: Plan, output: Path, page: Path | None) -> Found | None:
    """Return what there is of a landscape: of its store and the files kept of it, what has the most searches.

    Parameters
    ----------
    job : Job
    plan : Plan
    output : Path
        Folder with ``landscapes/``.
    page : Path or None
        Folder beside a page, with files kept by earlier calls.

    Returns
    -------
    Found or None
        None where no minimum is known.
    """
    at_hand = _from_store(job, output)
    others = [kept(job, plan, folder) for folder in (page, output) if folder is not None]
    known = [one for one in (at_hand, *others) if one is not None]
    return max(known, key=lambda one: one.row["searches"] + one.row["steps"], default=None)


def _from_store(job: Job, output: Path) -> Found | None:
    path = job.store(output)
    state = state_of(path)
    if state.get("stages") is None:
        return None
    summary = summarise(path)
    if not summary.minima:
        return None
    network = KineticTransitionNetwork.read(path)
    row = from_csv(to_csv([measures(job, path, state, summary, network)]))[0]
    return Found(_stopped(row, state), state, summary.failures, network)


def keep(found: Found, job: Job, plan: Plan, folder: Path, where: str) -> Path:
    """Write the file of a landscape and return it; ``where`` says when and on what it was explored."""
    path, network = kept_path(folder, job), found.network
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {name: network.properties[name] for name in _SHOWN if name in network.properties}
    arrays |= {name: getattr(network, name) for name in ("energies", "ts_energies")}
    arrays["ts_minima"] = network.ts_minima.astype(np.int32)
    told = {
        "options": _options(job), "row": to_csv([found.row]), "failures": found.failures,
        "state": {name: found.state[name] for name in _STATE if name in found.state},
        "where": where, "rule": plan.rule,
    }  # fmt: skip
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, told=np.array(json.dumps(told)), **arrays)
    partial.replace(path)
    return path


def kept(job: Job, plan: Plan, folder: Path) -> Found | None:
    """Read the file of a landscape; None where there is none, or it is of another network, other data or another scale.

    One that had ended its growth by another rule has not ended it by this one.

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
        state = told["state"]
        if told["options"] != _options(job) or state.get("scale") != plan.scale:
            return None
        if told["rule"] != plan.rule and state.get("why") == "stopped growing":
            state |= {"done": False, "why": ""}
        properties = {name: file[name] for name in _SHOWN if name in file}
        network = KineticTransitionNetwork(
            file["energies"], file["ts_energies"], file["ts_minima"], properties=properties
        )
    return Found(_stopped(from_csv(told["row"])[0], state), state, told["failures"], network, told["where"])


def _stopped(row: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """Return a line of measures.csv with the reason why its landscape has ended, in words also where there is none."""
    return row | {"stopped": state.get("why", "")}


def best_state(job: Job, plan: Plan, output: Path, page: Path | None) -> dict[str, Any]:
    """Return how a landscape grew: what was kept of it where that is done, its store's state otherwise."""
    state = state_of(job.store(output))
    if page is None or state.get("done"):
        return state
    earlier = kept(job, plan, page)
    return earlier.state if earlier is not None and earlier.state.get("done") else state


def _options(job: Job) -> dict[str, Any]:
    """Return what a landscape is of, as JSON has it: not where its data were read from."""
    return json.loads(json.dumps({name: value for name, value in job.options.items() if name != "path"}))
