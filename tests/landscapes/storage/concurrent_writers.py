"""Rounds of writers that get in each other's way: run as ``concurrent_writers.py FOLDER SEED ROUNDS``.

In each round two processes write to one store from several threads each, fork children that write to what they
inherited, and somebody deletes the lock at random moments. What a commit confirmed is noted after it returned; at the
end of the round it must be in the store, in one row each. Prints what happened, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np

import thalweg.landscapes.storage.lock as locks
from thalweg.landscapes import Landscape, StoreError
from thalweg.landscapes.maintenance.integrity import verify_structure

_SPEC = spec_from_file_location("made_up", Path(__file__).parents[1] / "made_up.py")
assert _SPEC is not None
assert _SPEC.loader is not None
made_up = module_from_spec(_SPEC)
_SPEC.loader.exec_module(made_up)

PROCESSES, TURNS, POINTS = 2, 3, 3
LONGEST = 0.02  # seconds of a pause
KINDS = ("forked from it", "was deleted", "was replaced", "being written by process")  # of errors that are expected


class Log:
    """Lines that processes and threads append to one file, each whole."""

    def __init__(self, path):
        self.path = path
        path.touch()

    def note(self, **entry):
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(descriptor, (json.dumps(entry) + "\n").encode())
        os.close(descriptor)

    def entries(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()]


def write(landscape, log, numbers, rng):
    """Add points one by one and commit now and then; note what was confirmed, and what was refused."""
    added = []
    for number in numbers:
        try:
            landscape.add_minimum(made_up.minimum(number))
            added.append(number)
            if rng.random() < 0.5:
                landscape.commit()
                log.note(confirmed=added)
        except (StoreError, OSError) as error:
            log.note(refused=f"{type(error).__name__}: {error}")
            return
        time.sleep(rng.uniform(0, LONGEST / 10))


def write_from_threads(landscape, log, first, rng):
    """Write from one to three threads, while a forked child tries the same."""
    threads = [
        threading.Thread(target=write, args=(landscape, log, range(start, start + POINTS), random.Random(start)))
        for start in range(first, first + POINTS * rng.randint(1, 3), POINTS)
    ]
    for thread in threads:
        thread.start()
    child = None
    if rng.random() < 0.5:
        child = os.fork()
        if not child:
            write(landscape, log, range(first + 50, first + 53), rng)
            os._exit(0)
    for thread in threads:
        thread.join()
    if child:
        os.waitpid(child, 0)


def work(path, log, process, rng):
    """Open the store several times, write, and close it."""
    for turn in range(TURNS):
        first = 10_000 * process + 100 * turn
        try:
            with Landscape(made_up.MadeUp(), path) as landscape:
                write_from_threads(landscape, log, first, rng)
                rest = list(range(first + 90, first + 93))
                for number in rest:
                    landscape.add_minimum(made_up.minimum(number))
            log.note(confirmed=rest)  # by the end of the block
        except (StoreError, OSError) as error:
            log.note(refused=f"{type(error).__name__}: {error}")
        time.sleep(rng.uniform(0, LONGEST))


def forked(action):
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        action()
        status = 0
    finally:
        os._exit(status)


def one_round(folder, seed):
    """Return what was noted, and how many of the confirmed points are missing or there twice."""
    rng = random.Random(seed)
    path, log = folder / f"{seed}.zarr", Log(folder / f"{seed}.log")
    lock = path.with_name(path.name + ".lock")
    with Landscape(made_up.MadeUp(), path) as landscape:
        landscape.add_minimum(made_up.minimum(9_999_999))
    writers = [
        forked(lambda process=process: work(path, log, process, random.Random(f"{seed} {process}")))
        for process in range(PROCESSES)
    ]
    ended = {}
    while len(ended) < PROCESSES:
        time.sleep(rng.uniform(0, LONGEST))
        if rng.random() < 0.7:
            lock.unlink(missing_ok=True)
        for writer in writers:
            if writer not in ended and os.waitpid(writer, os.WNOHANG)[0]:
                ended[writer] = True
    confirmed = {number for entry in log.entries() for number in entry.get("confirmed", [])}
    landscape = Landscape.open(path)
    rows = Counter(landscape.minima.energy[:].tolist())
    lost = [number for number in confirmed if rows[made_up.minimum(number).energy] != 1]
    for row in range(len(landscape.minima)):
        assert np.isfinite(landscape.minima.coordinates[row]).all()
    problems = [str(problem) for problem in verify_structure(landscape)]
    with Landscape(made_up.MadeUp(), path) as again:  # it goes on
        again.add_minimum(made_up.minimum(8_888_888))
    return {"entries": log.entries(), "confirmed": len(confirmed), "lost": lost, "problems": problems}


def no_folder_locks():
    """Let folders not be locked, as on NFS."""
    flock = locks._flock

    def refusing(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(9, "Bad file descriptor")
        return flock(descriptor)

    locks._flock = refusing


def main(folder, seed, rounds):
    total = {"confirmed": 0, "lost": [], "problems": [], "refused": Counter()}
    for number in range(seed, seed + rounds):
        if number == seed + rounds // 2:
            no_folder_locks()
        found = one_round(folder, number)
        total["confirmed"] += found["confirmed"]
        total["lost"] += [(number, lost) for lost in found["lost"]]
        total["problems"] += [(number, problem) for problem in found["problems"]]
        for entry in found["entries"]:
            if "refused" in entry:
                kinds = (
                    "forked from it",
                    "was deleted",
                    "was replaced",
                    "being written by process",
                    "not as this writer",
                )
                total["refused"][next((kind for kind in kinds if kind in entry["refused"]), entry["refused"])] += 1
    print(json.dumps(total))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
