"""GMIN and PATHSAMPLE with OPTIM growing a database of a network's loss, for so many CPU seconds, gone on with later.

Each keeps its files in a folder of its own. ``growth.json`` has the CPU seconds that were spent and the numbers of
minima and transition states that were known after each.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .programs import GMIN_LOSS, OPTIM_LOSS, binaries, write_data

STEPS = 10_000_000
TRIES = 5  # perturbations of each minimum, one minimum after the other
PERTURBATION = 0.5  # at most, of each weight: a standard deviation of 0.3; the program's own 0.9 finds fewer a second
_DUMP = 10  # steps of basin-hopping between what a kill leaves
_POLL = 0.5  # seconds
_SAME = 1e-6  # energies of one minimum, quenched to an rms gradient of 1e-6
_TICKS = os.sysconf("SC_CLK_TCK")
_SWEPT = "Completed sweep through all available minima"  # the next sweep has another seed
_AFTER_MINIMA, _LAST_OF_DUMP = "new restart procedure", "coordinates in MSB list"
_LONGEST_PATH = 60  # PATHSAMPLE cuts its EXEC at 80 characters

Stage = tuple[float, int, int]  # CPU seconds, minima, transition states

_DUMPDATA = """SEARCH 0
DUMPDATA
ENDHESS
MAXBFGS 0.1 0.1
UPDATES 500 500
BFGSMIN 1.0D-9
STEPS 10000
MLPVB3 2 1 10 4 {data} {l2:.10f}D0
VARIABLES
"""

_PATHDATA = """MLPVB3 2 1 10 4 {data} {l2:.10f}D0
ALLTS
EVCUT 1.0D-7
COPYFILES MLPdata
EDIFFTOL 1.0D-7
GEOMDIFFTOL 1.0D2
EXEC {program}
TEMPERATURE 0.1
PAIRLIST 1
"""

_NEW_CONNECTIONS = """CYCLES 10000000
SLEEPTIME 0 0
NEWCONNECTIONS 10000000 {tries} {first}
PERTURB {perturbation}
SEED {seed}
"""


def known_stages(folder: Path) -> list[Stage]:
    """Return what is known of a folder's growth, from nothing on."""
    path = folder / "growth.json"
    return [tuple(stage) for stage in json.loads(path.read_text())] if path.exists() else [(0.0, 0, 0)]


def keep_stages(folder: Path, stages: list[Stage]) -> None:
    """Write growth.json."""
    (folder / "growth.json").write_text(json.dumps(stages))


def run_gmin(loss: Any, x: np.ndarray, folder: Path, seconds: float) -> tuple[np.ndarray, list[Stage]]:
    """Let GMIN hop from x until it has had so many CPU seconds; return its minima, quenched to 1e-6, and its growth."""
    folder.mkdir(parents=True, exist_ok=True)
    stages, dump = known_stages(folder), folder / "kept.dump"
    part = len(list(folder.glob("out*.txt")))
    while stages[-1][0] < seconds:
        text = GMIN_LOSS.format(data=len(loss.labels), l2=loss.l2, steps=STEPS) + f"DUMPINT {_DUMP}\n"
        write_data(folder, loss.inputs, loss.labels)
        (folder / "data").write_text(text + (f"RESTORE {dump.name}\n" if dump.exists() else ""))
        (folder / "coords").write_text("\n".join(f"{v:.12f}" for v in x) + "\n")
        log = folder / f"out{part}.txt"
        used = _run_for("GMIN", folder, log, seconds - stages[-1][0], lambda _: None)
        found = _saved(folder)
        if found is None:
            raise RuntimeError(f"GMIN left no dump within {used:.0f} s, which takes {_DUMP} steps; see {log}")
        stages += [(stages[-1][0] + used * share, count, 0) for share, count in _distinct(folder, part)]
        keep_stages(folder, stages)
        dump.write_bytes(found)
        part += 1
    return _minima_of(dump.read_text()), stages


def _saved(folder: Path) -> bytes | None:
    """Return the last dump that is whole; a kill may have cut the newer one."""
    for name in ("GMIN.dump", "GMIN.dump.save"):
        path = folder / name
        if path.exists() and _LAST_OF_DUMP in path.read_text():
            return path.read_bytes()
    return None


def _minima_of(text: str) -> np.ndarray:
    """Return the coordinates of the minima in a dump."""
    saved = text.partition(_AFTER_MINIMA)[0]
    rows = [[float(word) for word in block.split()] for block in re.split(r"saved minimum +\d+\n", saved)[1:]]
    return np.array([row[3:] for row in rows if row[0] < 1e9])


def _distinct(folder: Path, part: int) -> list[tuple[float, int]]:
    """Return how many minima were known after each quench of the last run, and its share of that run's time."""
    known, result = np.empty(0), []
    for k in range(part + 1):
        text = (folder / f"out{k}.txt").read_text(errors="replace")
        quenches = re.findall(r"Qu +\d+ E= +(\S+) .* t= +(\S+)", text)
        last = max(float(quenches[-1][1]), 1e-9) if quenches else 1.0
        for energy, clock in quenches:
            if not np.any(np.abs(known - float(energy)) < _SAME):
                known = np.append(known, float(energy))
                if k == part:
                    result.append((float(clock) / last, len(known)))
    return [*result, (1.0, len(known))]


def run_pathsample(loss: Any, minima: np.ndarray, folder: Path, seconds: float) -> list[Stage]:
    """Let PATHSAMPLE grow a database from some minima, with OPTIM; return its growth. The files stay in the folder."""
    program = folder / "OPTIM"
    if len(str(program)) > _LONGEST_PATH:
        raise ValueError(f"{program} is too long for PATHSAMPLE: choose a shorter folder, such as /tmp/peers")
    folder.mkdir(parents=True, exist_ok=True)
    source = binaries()
    assert source is not None
    program.unlink(missing_ok=True)
    program.symlink_to((source / "OPTIM").resolve())
    stages = known_stages(folder)
    known = {"data": len(loss.labels), "l2": loss.l2, "program": program}
    if not (folder / "min.data").exists():
        stages = [(_first_minima(loss, minima, folder, known), *_counts(folder))]
    keywords = OPTIM_LOSS.format(**known) + "GEOMDIFFTOL 1.0D2\nVARIABLES\n"
    for name in ("odata.tspath", "odata.connect"):
        (folder / name).write_text(keywords)
    first = 1
    while stages[-1][0] < seconds:
        before, part = stages[-1], len(list(folder.glob("out*.txt")))
        log = folder / f"out{part}.txt"
        more = _NEW_CONNECTIONS.format(tries=TRIES, first=first, perturbation=PERTURBATION, seed=part + 1)
        (folder / "pathdata").write_text(_PATHDATA.format(**known) + more)
        here: list[Stage] = []
        used = _run_for(
            "PATHSAMPLE", folder, log, seconds - before[0],
            lambda cpu, to=here, add=before[0]: to.append((add + cpu, *_counts(folder))),
            over=lambda log=log: _SWEPT in _tail(log),  # it then waits, for nothing
        )  # fmt: skip
        stages += [*_changes(here), (before[0] + used, *_counts(folder))]
        keep_stages(folder, stages)
        said = log.read_text(errors="replace")
        tried = [] if _SWEPT in said else re.findall(r"Perturbation +\d+ for minimum +(\d+)", said)
        if used < 1.0:
            raise RuntimeError(f"PATHSAMPLE ended at once; see {log}")
        first = int(tried[-1]) if tried else 1
        for rest in folder.glob("*.done"):
            rest.unlink()
    return stages


def _first_minima(loss: Any, minima: np.ndarray, folder: Path, known: dict[str, Any]) -> float:
    """Give PATHSAMPLE its first minima, each by OPTIM; return the CPU seconds."""
    write_data(folder, loss.inputs, loss.labels)
    told, spent = [], 0.0
    for x in minima:
        (folder / "odata").write_text(_DUMPDATA.format(**known) + "\n".join(f"{v:.12f}" for v in x) + "\n")
        spent += _run_for("OPTIM", folder, folder / "dump.txt", 60.0, lambda _: None, poll=0.02)
        told.append((folder / "min.data.info").read_text())
    (folder / "all.info").write_text("".join(told))
    (folder / "pathdata").write_text(_PATHDATA.format(**known) + "ADDMIN all.info\n")
    spent += _run_for("PATHSAMPLE", folder, folder / "dump.txt", 60.0, lambda _: None, poll=0.02)
    for name, number in (("min.A", 1), ("min.B", 2)):
        (folder / name).write_text(f"1\n{number}\n")
    return spent


def _counts(folder: Path) -> tuple[int, int]:
    """Return how many minima and transition states a database has."""
    paths = (folder / "min.data", folder / "ts.data")
    return tuple(path.read_bytes().count(b"\n") if path.exists() else 0 for path in paths)  # type: ignore[return-value]


def _changes(stages: list[Stage]) -> list[Stage]:
    return [one for k, one in enumerate(stages) if k == 0 or one[1:] != stages[k - 1][1:]]


def read_database(folder: Path, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of a database's minima and transition states; of what a kill cut, the whole rows."""
    found = [np.fromfile(folder / f"points.{name}", dtype="<f8") for name in ("min", "ts")]
    minima, states = (values[: len(values) // n * n].reshape(-1, n) for values in found)
    return minima, states


def _run_for(
    name: str,
    folder: Path,
    log: Path,
    seconds: float,
    watch: Callable[[float], object],
    poll: float = _POLL,
    over: Callable[[], bool] = lambda: False,
) -> float:
    """Run a program until it ends, is over, or has had so many CPU seconds, its children's included; return these."""
    source = binaries()
    assert source is not None
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(source / name)], cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment,
            start_new_session=True,
        )  # fmt: skip
        used, ended = 0.0, None
        try:
            while ended is None and used < seconds and not over():
                time.sleep(poll)
                used = max(used, _cpu_seconds(process.pid))
                watch(used)
                ended = _ended(process)
        finally:
            ended = ended if ended is not None else _end(process)
    return max(used, ended)


def _tail(log: Path, size: int = 4096) -> str:
    """Return the end of a file."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - size))
        return file.read().decode(errors="replace")


def _ended(process: subprocess.Popen, options: int = os.WNOHANG) -> float | None:
    """Return the CPU seconds of a process that has ended, with those of the children it waited for; None if not yet."""
    pid, status, usage = os.wait4(process.pid, options)
    if not pid:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _end(process: subprocess.Popen) -> float:
    """End a program and what it started, a group of its own: first so that it still writes what it has to say."""
    os.killpg(process.pid, signal.SIGTERM)
    for _ in range(50):
        time.sleep(0.1)
        if (used := _ended(process)) is not None:
            return used
    os.killpg(process.pid, signal.SIGKILL)
    return _ended(process, 0) or 0.0


def _cpu_seconds(session: int) -> float:
    """Return the CPU seconds of the processes of a session and of the children that they waited for, from /proc."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        ticks += sum(map(int, fields[11:15])) if int(fields[3]) == session else 0
    return ticks / _TICKS
