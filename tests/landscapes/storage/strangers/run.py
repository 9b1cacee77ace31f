"""Run the program on damaged stores in a sandbox: ``python run.py FOLDER FIRST LAST``, or ``... FOLDER check``.

Case k is damaged with random numbers of seed k alone, so that ``python run.py FOLDER k k`` repeats it. One line is
printed for each case that fails, and one at the end. The process watches itself: an audit hook sees every file that is
opened for writing, deleted or renamed and every process that is started, and no more memory than half a GiB above
what the program takes anyway can be had.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from thalweg.analysis.cli.main import program
from thalweg.landscapes import Landscape, StoreError
from thalweg.potentials import LJAT, NetworkLoss, Weights

MEMORY = 512 * 2**20
SECONDS = 20
EVIL = "evil_module.py"
KINDS = ("cluster", "network", "emt")

_CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
_PROCESSES = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
    "os.spawn",
    "pty.spawn",
}


class Watch:
    """What this process does to files outside its sandbox, and which processes it starts."""

    def __init__(self) -> None:
        self.allowed: tuple[str, ...] | None = None
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple) -> None:
        if self.allowed is None:
            return
        if event in _PROCESSES:
            self.seen.append(f"{event} {arguments[:2]}"[:300])
        elif event == "exec" and os.path.basename(getattr(arguments[0], "co_filename", "")) == EVIL:
            self.seen.append("a module of the store's choice was run")
        elif event == "open" and self._writes(arguments):
            self._check(event, arguments[0])
        elif event in ("os.rename", "os.link", "os.symlink"):
            for path in arguments[:2]:
                self._check(event, path)
        elif event in _CHANGES:
            self._check(event, arguments[0], arguments[-1])

    @staticmethod
    def _writes(arguments: tuple) -> bool:
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))

    def _check(self, event: str, path: object, folder: object = -1) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        # the folder's real place: a link itself may be replaced, but nothing behind one
        name = os.fsdecode(path)
        if isinstance(folder, int) and folder >= 0:
            name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
        real = os.path.join(os.path.realpath(os.path.dirname(name) or "."), os.path.basename(name))
        compiled = "__pycache__" in real.split(os.sep)  # of a module that no store has named before
        if self.allowed is not None and not compiled and not real.startswith(self.allowed):
            self.seen.append(f"{event} {real}")


def make(folder: Path) -> None:
    """Make the three good stores, by which everything is compiled and loaded besides."""
    atoms = Atoms("Ar7", positions=np.random.default_rng(0).uniform(-1, 1, (7, 3)), calculator=LJAT(Z=0.0))
    rng = np.random.default_rng(1)
    inputs, labels = rng.normal(size=(12, 2)), rng.integers(0, 3, 12)
    weights = Weights.random(NetworkLoss(inputs, labels, hidden=(2,), l2=1e-3, n_classes=3), seed=0)
    slab = fcc100("Al", (2, 2, 1), vacuum=4.0)
    add_adsorbate(slab, "Cu", 1.7, "hollow")
    slab.set_constraint(FixAtoms(indices=range(4)))
    slab.calc = EMT()
    for kind, subject, steps in zip(KINDS, (atoms, weights, slab), (60, 40, 6), strict=True):
        with Landscape(subject, folder / f"{kind}.zarr", seed=1) as landscape:
            landscape.find_minima(steps=steps, workers=1)
            landscape.connect(searches=8, workers=1)
            assert len(landscape.minima) > 1
            assert len(landscape.transition_states) > 0
            landscape.properties.set("test_auc", np.linspace(0, 1, len(landscape.minima)), data="made up")


def sandbox(folder: Path, kind: str) -> Path:
    """Lay out a new folder: the store, a good one, and somebody's documents."""
    place = folder / "sandbox"
    shutil.rmtree(place, ignore_errors=True)
    documents = place / "documents"
    documents.mkdir(parents=True)
    for name in ("thesis.tex", "c.0", "c.1", "zarr.json", "c.0.partial"):
        (documents / name).write_text("years of work")
    (documents / "half").mkdir()
    (documents / "half" / "c.0").write_text("more of it")
    shutil.copytree(folder / f"{kind}.zarr", place / "store.zarr")
    return place / "store.zarr"


def commands(store: Path, good: Path, case: int) -> dict[str, Callable[[], object]]:
    """Return what is done to a store, by name."""
    form = ("graphml", "csv", "pathsample", "parquet")[case % 4]
    pair = (store, good) if case % 2 else (good, store)
    output = store.parent / "output"

    def thalweg(*words: object) -> Callable[[], object]:
        return lambda: program.main([str(word) for word in words], "thalweg", standalone_mode=False)

    def read() -> None:
        landscape = Landscape.open(store)
        for points in (landscape.minima, landscape.transition_states):
            if len(points):
                assert points[len(points) - 1].coordinates.size
        assert len(landscape.searches.status[:]) == len(landscape.searches.kind[:])
        assert all(len(values) == len(landscape.minima) for values in landscape.properties.values())
        assert landscape.discoveries()
        assert landscape.tolerances
        assert repr(landscape)

    return {
        "open": read,
        "info": thalweg("info", store),
        "verify": thalweg("verify", store, "--workers", 1),
        "show": thalweg("show", store, "minimum" if case % 2 else "state", 0),
        "merge": thalweg("merge", *pair, "--output", output / "merged.zarr"),
        "export": thalweg("export", store, "--format", form, "--output", output / "exported"),
        "mark": thalweg("verify", store, "--mark", "--workers", 1),
        "connect": thalweg("connect", store, "--searches", 1, "--workers", 1),
    }


def state_of(place: Path) -> dict[str, tuple]:
    """Return what lies in the sandbox outside the store: kind, size, content and times of each thing."""
    found = {}
    for folder, names, files in os.walk(place):
        if Path(folder) == place:
            names[:] = [name for name in names if name not in ("store.zarr", "output")]
        for name in (*names, *files):
            about = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (about.st_mode, about.st_size, about.st_ino, about.st_mtime_ns)
    found.pop(str(place / "store.zarr.lock"), None)
    # a folder's own time changes with the lock beside the store
    return {name: about if about[0] & 0o100000 else about[0] for name, about in found.items()}


ALLOWED = ("there are no minima", "has no minima to connect", "numbered from 0", "no transition state")


def fault_of(error: BaseException) -> str | None:
    """Return what is wrong with the way in which a command ended; None where it ended by a clear error."""
    cause = error.__cause__ if isinstance(error, click.ClickException) and error.__cause__ else error
    if isinstance(cause, StoreError | FileNotFoundError | click.exceptions.Exit | PermissionError):
        return None
    if isinstance(cause, ValueError) and any(text in str(cause) for text in ALLOWED):
        return None
    lines = traceback.format_exception(cause)
    return f"{type(cause).__name__}: {cause}"[:300] + "\n" + "".join(lines[-4:])[:2000]


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Interrupt a call that takes longer; where it cannot be interrupted, the process ends."""
    faulthandler.dump_traceback_later(seconds + 20, exit=True)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()


def _too_long(number: int, frame: object) -> None:
    raise TimeoutError("it took too long")


def attempt(command: Callable[[], object], watch: Watch, seconds: int = SECONDS) -> str | None:
    """Run one command; return what is wrong with it."""
    watch.seen.clear()
    said = io.StringIO()
    try:
        with limited(seconds), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            command()
    except (Exception, SystemExit) as error:
        fault = fault_of(error)
        if fault:
            return fault
    return "; ".join(watch.seen) or None


def pack(store: Path, rng: np.random.Generator) -> Path:
    """Put a store into a zip file, damaged or not, and return that."""
    packed = store.parent / "output" / "store.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(store.rglob("*")):
            if file.is_file() and not file.is_symlink():
                archive.write(file, file.relative_to(store))
    data = bytearray(packed.read_bytes())
    if rng.random() < 0.5:
        data = data[: int(rng.integers(len(data)))]
    for _ in range(int(rng.integers(6))):
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    packed.write_bytes(bytes(data))
    return packed


def case(folder: Path, number: int, watch: Watch) -> list[str]:
    """Damage a store in the way of this number, do everything to it, and return what went wrong."""
    mutations = importlib.import_module("mutations")
    rng = np.random.default_rng([20, number])
    kind = KINDS[number % len(KINDS)]
    watch.allowed = None
    store = sandbox(folder, kind)
    free_memory()
    how = mutations.mutate(store, rng)
    output = store.parent / "output"
    output.mkdir()
    found = []
    subject = pack(store, rng) if rng.random() < 0.04 else store
    before = state_of(store.parent)
    watch.allowed = (f"{store}/", f"{store}.lock", f"{output}/")
    limit_memory()
    for name, command in commands(subject, folder / f"{kind}.zarr", number).items():
        began = time.monotonic()
        fault = attempt(command, watch)
        if fault is None and time.monotonic() - began > SECONDS:
            fault = f"it took {time.monotonic() - began:.0f} s"
        if fault:
            found.append(f"case {number} ({kind}; {how}): {name}: {fault}")
    watch.allowed = None
    after = state_of(store.parent)
    found += [
        f"case {number} ({kind}; {how}): {path} was changed: {before.get(path)}, {after.get(path)}"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]
    return found


def free_memory() -> None:
    """Lift the limit of memory, so that damaging a store may take what it needs."""
    resource.setrlimit(resource.RLIMIT_AS, (resource.getrlimit(resource.RLIMIT_AS)[1],) * 2)


def limit_memory() -> None:
    """Allow so much memory and no more beyond what the process has now, which grows a little with every store."""
    if sys.platform != "linux":
        return
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def check(folder: Path) -> None:
    """Run commands that do what none may do, and print what is found to be wrong with each."""
    watch = Watch()
    inside, outside, moved = folder / "inside", folder / "outside", folder / "moved"
    inside.mkdir()
    for name in ("a", "b", "c"):
        outside.mkdir(exist_ok=True)
        (outside / name).write_text("mine")
    (inside / "link").symlink_to(outside)
    sys.path.insert(0, str(folder))
    (folder / EVIL).write_text("class Evil: pass\n")

    def clear_error() -> None:
        raise StoreError("damaged")

    acts: dict[str, Callable[[], object]] = {
        "nothing": lambda: (inside / "mine").write_text("right"),
        "clear error": clear_error,
        "writes outside": lambda: (outside / "new").write_text("wrong"),
        "deletes outside": lambda: (outside / "a").unlink(),
        "deletes behind a link": lambda: (inside / "link" / "b").unlink(),
        "renames outside": lambda: (outside / "c").rename(outside / "d"),
        "makes a folder": moved.mkdir,
        "starts a process": lambda: subprocess.run(["true"], check=True),
        "runs a shell": lambda: os.system("true"),
        "imports": lambda: importlib.import_module("evil_module"),
        "takes a gigabyte": lambda: np.ones(2**27),
        "takes too long": lambda: time.sleep(3),
        "traceback": lambda: {}["key"],
        "exits": lambda: sys.exit(3),
    }
    limit_memory()
    watch.allowed = (f"{inside}/",)
    for name, act in acts.items():
        said = attempt(act, watch, seconds=1)
        print(f"{name}: {said.splitlines()[0] if said else said}", flush=True)


def main() -> int:
    """Run the cases that the command line names."""
    warnings.simplefilter("ignore")  # of numpy, about the numbers in damaged stores
    signal.signal(signal.SIGALRM, _too_long)
    folder = Path(sys.argv[1]).resolve()
    if sys.argv[2] == "check":
        check(folder)
        return 0
    first, last = int(sys.argv[2]), int(sys.argv[3])
    os.fsync = lambda descriptor: None  # ten thousand stores need not survive a power failure
    sys.path[:0] = [str(Path(__file__).parent), str(folder)]
    (folder / EVIL).write_text("class Evil: pass\n")
    make(folder)
    watch = Watch()
    for kind in KINDS:  # whatever is loaded or compiled when it is first used
        for command in commands(sandbox(folder, kind), folder / f"{kind}.zarr", 0).values():
            attempt(command, watch)
        for form in range(1, 4):
            attempt(commands(folder / f"{kind}.zarr", folder / f"{kind}.zarr", form)["export"], watch)
    limit_memory()
    failed = 0
    for number in range(first, last + 1):
        print(f"at {number}", file=sys.stderr, flush=True)
        for fault in case(folder, number, watch):
            failed += 1
            print(fault, flush=True)
    print(f"{last - first + 1} cases, {failed} faults", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
