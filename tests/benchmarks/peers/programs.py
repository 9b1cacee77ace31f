"""GMIN, OPTIM and pele as processes of their own, with the settings of shared/peers.md, timed in CPU seconds."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

GMIN_LOSS = """MLPVB3 2 1 10 4 {data} {l2:.10f}D0
SLOPPYCONV 1.0D-6
TIGHTCONV 1.0D-9
UPDATES 500
MAXIT 5000 5000
EDIFF 1.0D-6
STEPS {steps} 1.0
STEP 1.0
TEMPERATURE 2.0
FIXBOTH
SAVE 1000
"""

_SEARCH = """NOIT
PATH 3 0.0
MAXSTEP 0.2
MAXMAX 0.5
TRAD 2.0
BFGSMIN 1.0D-9
CONVERGE 1.0 1.0D-9
SHIFT 1.0D10
STEPS 1000
BFGSSTEPS 50000
DUMPALLPATHS
EDIFFTOL 1.0D-6
"""

OPTIM_LOSS = "MLPVB3 2 1 10 4 {data} {l2:.10f}D0\nBFGSTS 5000 20 100 0.002\nUPDATES 500 500\n" + _SEARCH
OPTIM_LJ = "BFGSTS 500 10 100 0.01\nUPDATES 20 20\n" + _SEARCH

PELE = """
import contextlib, json, os, sys, time
import numpy as np
from pele.optimize import lbfgs_cpp
from pele.systems import LJCluster
from pele.transition_states import findTransitionState, minima_from_ts

def quenches(X, pot):
    return [bool(lbfgs_cpp(x, pot, tol=1e-6, nsteps=10000).success) for x in X]

def calls(X, pot):
    for x in X:
        pot.getEnergyGradient(x)
    return [True] * len(X)

def searches(X, pot):
    system = LJCluster(X.shape[1] // 3)
    settings = dict(system.params.double_ended_connect.local_connect_params.tsSearchParams)
    settings.update(orthogZeroEigs=system.get_orthogonalize_to_zero_eigenvectors(), tol=1e-6)
    done = []
    for x in X:
        found = findTransitionState(x, pot, **settings)
        if found.success:
            quench = lambda x, **other: lbfgs_cpp(x, pot, tol=1e-6)
            sides = minima_from_ts(pot, found.coords, n=found.eigenvec, quench=quench)
            done.append(bool(max(side[1] for side in sides) < found.energy))
        else:
            done.append(False)
    return done

X = np.load(sys.argv[1])
potential = LJCluster(X.shape[1] // 3).get_potential()
with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
    began = time.process_time()
    done = globals()[sys.argv[2]](X, potential)
    seconds = time.process_time() - began
print(json.dumps([seconds, done]))
"""


def binaries() -> Path | None:
    """Return the folder with GMIN and OPTIM that THALWEG_PYLFL names, None where it is not set."""
    folder = os.environ.get("THALWEG_PYLFL")
    return Path(folder) if folder and (Path(folder) / "OPTIM").exists() else None


def pele() -> str | None:
    """Return the interpreter with pele that THALWEG_PELE_PYTHON names."""
    return os.environ.get("THALWEG_PELE_PYTHON")


def run_pele(X: np.ndarray, what: str, folder: Path) -> tuple[float, list[bool]]:
    """Return CPU seconds and successes of pele's "quenches", "calls" or "searches" from every row of X."""
    np.save(folder / "starts.npy", X)
    arguments = [str(pele()), "-c", PELE, str(folder / "starts.npy"), what]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=_one_thread())
    seconds, successes = json.loads(done.stdout.splitlines()[-1])
    return seconds, successes


def _one_thread() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run_binary(name: str, folder: Path, limit: float = 120.0) -> tuple[float, str]:
    """Return the CPU seconds and the output of a program run in a folder with its keyword files."""
    program = binaries()
    assert program is not None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    arguments: dict[str, Any] = {"cwd": folder, "capture_output": True, "text": True, "errors": "replace"}
    done = subprocess.run([str(program / name)], timeout=limit, env=_one_thread(), **arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stdout


def write_data(folder: Path, inputs: np.ndarray, labels: np.ndarray) -> None:
    """Write MLPdata: the class, counted from 0, then the inputs."""
    lines = [
        "\t".join([str(int(label)), *(f"{v:.15g}" for v in row)]) for row, label in zip(inputs, labels, strict=True)
    ]
    (folder / "MLPdata").write_text("\n".join(lines) + "\n")


def run_gmin_loss(loss: Any, x: np.ndarray, steps: int, folder: Path) -> tuple[float, int]:
    """Return GMIN's CPU seconds for so many basin-hopping steps from x, and how many minima it saved."""
    write_data(folder, loss.inputs, loss.labels)
    (folder / "data").write_text(GMIN_LOSS.format(data=len(loss.labels), l2=loss.l2, steps=steps))
    (folder / "coords").write_text("\n".join(f"{v:.12f}" for v in x) + "\n")
    seconds, output = run_binary("GMIN", folder)
    return seconds, output.count("Final Quench")


def run_optim(X: np.ndarray, folder: Path, loss: Any = None) -> tuple[float, list[bool]]:
    """Return OPTIM's CPU seconds and successes: one process, as it works, for every row of X."""
    total, successes = 0.0, []
    for x in X:
        if loss is None:
            atoms = "\n".join("AX {:.12f} {:.12f} {:.12f}".format(*row) for row in x.reshape(-1, 3))
            text = f"{OPTIM_LJ}POINTS\n{atoms}\n"
        else:
            write_data(folder, loss.inputs, loss.labels)
            keywords = OPTIM_LOSS.format(data=len(loss.labels), l2=loss.l2)
            text = f"{keywords}GEOMDIFFTOL 1.0D2\nVARIABLES\n" + "\n".join(f"{v:.12f}" for v in x) + "\n"
        (folder / "odata").write_text(text)
        (folder / "path.info").unlink(missing_ok=True)
        seconds, _ = run_binary("OPTIM", folder)
        total += seconds
        # written once both sides have ended
        path = folder / "path.info"
        successes.append(path.exists() and path.stat().st_size > 0)
    return total, successes
