"""The same seed gives the same store, bit for bit, whoever works and whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import thalweg.landscapes.exploration.executors as executors
from thalweg.landscapes import CalculationsFailedError, Landscape, Processes, dask_executor
from thalweg.potentials import Function, MuellerBrown, Point

from ...helpers import files_of, random_cluster

STEPS, SEARCHES = 60, 40


def explore(path, executor=None, workers=None, minima_too=True):
    with Landscape(random_cluster(7), path, seed=3) as landscape:
        if minima_too:
            landscape.find_minima(STEPS, executor=executor, workers=workers)
        else:
            landscape.find_minima(STEPS, workers=1)
        landscape.connect(SEARCHES, executor=executor, workers=workers)
        assert len(landscape.transition_states) > 3
    return files_of(path)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What one thread finds."""
    return explore(tmp_path_factory.mktemp("one") / "a.zarr", workers=1)


class Killer:
    """Kills processes of a list while the block runs, at most so often."""

    def __init__(self, pids, times, first=0.5, every=1.0):
        self.pids, self.times, self.killed, self.first, self.every = pids, times, 0, first, every

    def __enter__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def _run(self):
        self._stop.wait(self.first)
        while not self._stop.is_set() and self.killed < self.times:
            for pid in self.pids()[:1]:
                os.kill(pid, signal.SIGKILL)
                self.killed += 1
            self._stop.wait(self.every)

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()


def test_threads(expected, tmp_path):
    assert explore(tmp_path / "a.zarr", workers=3) == expected
    with ThreadPoolExecutor(2) as pool:
        assert explore(tmp_path / "b.zarr", pool) == expected
        assert pool.submit(int).result() == 0  # it is still the caller's


class Watched(Processes):
    """Remembers its pools."""

    def __init__(self, workers):
        super().__init__(workers)
        self.pools = []

    def __call__(self):
        self.pools.append(super().__call__())
        return self.pools[-1]

    def pids(self):
        """Processes that have begun to work."""
        return sorted(self.pools[-1]._processes or {}) if self.pools else []


def test_two_processes(expected, tmp_path):
    assert explore(tmp_path / "a.zarr", Processes(2), minima_too=False) == expected


@pytest.mark.slow  # new processes take seconds to begin
def test_two_processes_of_which_one_is_killed(expected, tmp_path):
    processes = Watched(2)
    with Killer(processes.pids, times=1, first=3.0) as killer:
        found = explore(tmp_path / "a.zarr", processes)
    assert found == expected
    assert killer.killed == 1
    assert len(processes.pools) == 2 + killer.killed  # one a call, and one for each that broke


def test_a_process_pool_of_the_callers_that_breaks_is_replaced(tmp_path):
    with Landscape(random_cluster(7), tmp_path / "a.zarr", seed=3) as landscape:
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        pool.submit(os.getpid).result()
        for pid in list(pool._processes):
            os.kill(pid, signal.SIGKILL)
        landscape.find_minima(10, executor=pool)
        assert len(landscape.searches) == 10
        pool.shutdown()


class Broken(Executor):
    """Takes tasks as a pool does that breaks in this moment: their futures are never done."""

    _broken = True

    def submit(self, fn, /, *args, **kwargs):
        return Future()

    def shutdown(self, wait=True, *, cancel_futures=False):
        pass


def test_tasks_that_no_pool_tells_of_again_are_run_on_the_next(expected, tmp_path):
    pools = []

    def pool():
        pools.append(Broken() if len(pools) % 2 == 0 else ThreadPoolExecutor(1))
        return pools[-1]

    assert explore(tmp_path / "a.zarr", pool) == expected
    assert len(pools) == 4  # two a call


class Losing(Executor):
    """Runs tasks at once in this thread, after losing each of them some times."""

    def __init__(self, losses):
        self.losses, self.lost, self.sent = losses, {}, []

    def submit(self, fn, /, *args, **kwargs):
        future, task = Future(), args[-1]
        name = (task.sequence, task.number)
        self.sent.append(args[1] is not None)
        self.lost[name] = self.lost.get(name, 0) + 1
        if self.lost[name] <= self.losses:
            future.set_exception(type("KilledWorker", (Exception,), {})("worker gone"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_lost_tasks_are_run_again_but_not_for_ever(expected, tmp_path):
    assert explore(tmp_path / "a.zarr", Losing(2)) == expected
    with Landscape(random_cluster(7), tmp_path / "b.zarr", seed=3) as landscape:
        with pytest.raises(RuntimeError, match=r"task 0 of find_minima lost its worker 9 times.*worker gone"):
            landscape.find_minima(10, executor=Losing(100))
        landscape.find_minima(10, workers=1)  # it goes on as if nothing had been


def test_the_system_is_sent_once(tmp_path):
    executor = Losing(0)
    explore(tmp_path / "a.zarr", executor)
    assert executor.sent.count(True) <= 2  # one a call at most
    assert len(executor.sent) > 4


def test_no_more_tasks_ahead_than_asked_for(tmp_path):
    class Counting(ThreadPoolExecutor):
        ahead = most = 0

        def submit(self, fn, /, *args, **kwargs):
            self.ahead += 1
            self.most = max(self.most, self.ahead)
            future = super().submit(fn, *args, **kwargs)
            future.add_done_callback(lambda _: setattr(self, "ahead", self.ahead - 1))
            return future

    with Landscape(random_cluster(7), tmp_path / "a.zarr", tasks_ahead=3) as landscape, Counting(2) as pool:
        landscape.find_minima(60, executor=pool)
        assert 2 <= pool.most <= 3
    with pytest.raises(ValueError, match="tasks_ahead: stored 3, given 4"):
        Landscape(random_cluster(7), tmp_path / "a.zarr", tasks_ahead=4)
    with pytest.raises(ValueError, match="tasks_ahead must be a whole number, at least 1; it is 0"):
        Landscape(random_cluster(7), tmp_path / "b.zarr", tasks_ahead=0)


def test_what_cannot_be_sent_is_said(tmp_path):
    point = Point(np.ones(2), Function(lambda x: float(x @ x)))
    with (
        Landscape(point, tmp_path / "a.zarr") as landscape,
        pytest.raises(ValueError, match="the system cannot be sent to other processes"),
    ):
        landscape.find_minima(5, executor=Processes(1))


def test_what_every_task_raises_is_named(tmp_path):
    def broken(x):
        raise ZeroDivisionError("mine")

    with (
        Landscape(Point(np.ones(2), Function(broken)), tmp_path / "a.zarr") as landscape,
        pytest.raises(CalculationsFailedError, match=r"5 searches in a row failed.* ZeroDivisionError: mine"),
    ):
        landscape.find_minima(5)


class Stopped(Watched):
    """Stops some of its processes, as a debugger or a full container does, once all of them have begun to work."""

    def __init__(self, workers, stopped, killed=0):
        super().__init__(workers)
        self.stopped, self.killed = stopped, killed

    def __call__(self):
        pool = super().__call__()
        barrier = [pool.submit(time.sleep, 0.2) for _ in range(4 * self.workers)]
        for future in barrier:
            future.result()
        if len(self.pools) == 1:
            pids = self.seen = self.pids()
            for pid in pids[: self.stopped]:
                os.kill(pid, signal.SIGSTOP)
            for pid in pids[self.stopped : self.stopped + self.killed]:
                os.kill(pid, signal.SIGKILL)
        return pool


@pytest.mark.parametrize(
    ("method", "stopped"), [("find_minima", 1), ("find_minima", 2), ("connect", 1)], ids=["one", "all", "connect"]
)
def test_processes_that_do_not_answer_are_not_waited_for(tmp_path, monkeypatch, method, stopped):
    monkeypatch.setattr(executors, "_GRACE", 0.5)
    with Landscape(Point(np.ones(2), MuellerBrown()), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(5, workers=1)
        processes = Stopped(2, stopped)
        began = time.monotonic()
        getattr(landscape, method)(10**6, executor=processes, seconds=0.5)
        assert time.monotonic() - began < 15
        _assert_they_end(processes.seen)
        assert len(Landscape.open(tmp_path / "a.zarr").searches) == len(landscape.searches) >= 5


@pytest.mark.slow
def test_a_pool_of_which_one_process_was_killed_and_one_stopped_is_replaced(tmp_path):
    processes = Stopped(2, stopped=1, killed=1)
    with Landscape(Point(np.ones(2), MuellerBrown()), tmp_path / "a.zarr") as landscape:
        landscape.find_minima(20, executor=processes)
        assert len(landscape.searches) == 20
    assert len(processes.pools) == 2
    _assert_they_end(processes.seen)


@pytest.mark.slow
def test_ctrl_c_ends_the_command_although_a_process_does_not_answer(tmp_path):
    words = ["explore", "LJ7", "--processes", "2", "--steps", "1000000", "--output", str(tmp_path / "a.zarr")]
    command = subprocess.Popen([sys.executable, "-m", "thalweg.analysis", *words], stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while not (workers := _workers_of(command.pid)) or not _searches(tmp_path / "a.zarr"):
            assert time.monotonic() < deadline
            assert command.poll() is None
            time.sleep(0.1)
        os.kill(workers[0], signal.SIGSTOP)
        time.sleep(0.5)
        command.send_signal(signal.SIGINT)
        assert command.wait(timeout=20) == 130
        _assert_they_end(workers)
    finally:
        command.kill()
        command.communicate()
    assert _searches(tmp_path / "a.zarr")


def _workers_of(pid):
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True
    ).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if "spawn_main" in line]


def _searches(path):
    return len(Landscape.open(path).searches) if (path / "zarr.json").exists() else 0


def test_bad_numbers_of_processes():
    with pytest.raises(ValueError, match="workers must be a whole number, at least 1; it is 0"):
        Processes(0)


def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    """Kill the parent of a pool: its processes must not stay behind."""
    script = (
        "import sys, os, time\n"
        "from thalweg.landscapes import Processes\n"
        "if __name__ == '__main__':\n"
        "    pool = Processes(1)()\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    time.sleep(60)\n"
    )
    import subprocess
    import sys

    (tmp_path / "parent.py").write_text(script)
    parent = subprocess.Popen([sys.executable, str(tmp_path / "parent.py")], stdout=subprocess.PIPE, text=True)
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    _assert_they_end([worker])


def _assert_they_end(pids):
    deadline = time.monotonic() + 20
    while any(map(_alive, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def dask_cluster():
    distributed = pytest.importorskip("distributed")
    import dask

    with (
        dask.config.set({"distributed.admin.low-level-log-length": 0, "logging.distributed": "critical"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
    ):
        yield cluster


@pytest.mark.slow
def test_dask_cluster_with_a_worker_killed_twice_and_one_that_joins_late(expected, tmp_path, dask_cluster):
    def pids():
        found = [worker.pid for worker in dask_cluster.workers.values() if worker.pid]
        return found[killer.killed % 2 :] if found else []

    with dask_executor(dask_cluster.scheduler_address) as executor, Killer(pids, times=2, every=2.0) as killer:
        threading.Timer(1.0, lambda: dask_cluster.scale(3)).start()
        found = explore(tmp_path / "a.zarr", executor)
    assert found == expected
    assert killer.killed == 2


def test_the_command_line_hands_its_work_to_a_scheduler(tmp_path, dask_cluster):
    words = ["explore", "LJAT3", "--steps", "8", "--searches", "10"]
    command = [sys.executable, "-m", "thalweg.analysis", *words]
    where = ["--scheduler", dask_cluster.scheduler_address, "--output", str(tmp_path / "a.zarr")]
    subprocess.run([*command, *where], check=True, timeout=300, capture_output=True)
    subprocess.run([*command, "--output", str(tmp_path / "b.zarr")], check=True, timeout=300, capture_output=True)
    there, here = (Landscape.open(tmp_path / name) for name in ("a.zarr", "b.zarr"))
    for group in ("minima", "transition_states", "searches"):
        for name in getattr(there, group).names:
            np.testing.assert_array_equal(
                getattr(getattr(there, group), name)[:], getattr(getattr(here, group), name)[:]
            )
    assert len(there.minima) == 2


def test_a_scheduler_that_is_not_there():
    pytest.importorskip("distributed")
    with (
        pytest.raises(ConnectionError, match="no dask scheduler answers at tcp://127"),
        dask_executor("tcp://127.0.0.1:1", timeout=1),
    ):
        pass
