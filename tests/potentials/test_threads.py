"""Threads over walkers: BLAS has one thread meanwhile, and gets its own back."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from threading import Event, current_thread

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 (so that the fixture sees its BLAS from the beginning)
from threadpoolctl import threadpool_info, threadpool_limits

from thalweg.potentials.threads import map_threads


def blas_threads() -> list[int]:
    np.linalg.eigh(np.eye(2))
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.fixture
def two_threads():
    """BLAS with two threads, whatever machine this is."""
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        if not before or set(before) == {1}:
            pytest.skip("this BLAS has no threads of its own")
        yield before


def test_blas_has_one_thread_while_walkers_have_several(two_threads):
    seen = []
    map_threads(lambda start, stop: seen.extend(blas_threads()), 4, threads=2)
    assert set(seen) == {1}
    assert blas_threads() == two_threads


def test_one_walker_keeps_the_threads_of_blas(two_threads):
    seen = []
    map_threads(lambda start, stop: seen.extend(blas_threads()), 1)
    assert seen == two_threads


def test_blas_gets_its_threads_back_after_an_error(two_threads):
    def fail(start, stop):
        raise ArithmeticError("a walker failed")

    with pytest.raises(ArithmeticError):
        map_threads(fail, 4, threads=2)
    assert blas_threads() == two_threads


def test_the_lapack_of_compiled_code_is_limited_though_it_is_loaded_later():
    code = (
        "from thalweg.potentials.threads import map_threads\nmap_threads(lambda start, stop: None, 4, threads=2)\n"
        "import scipy.linalg\nfrom threadpoolctl import threadpool_info\nseen = []\n"
        "look = lambda: [one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas']\n"
        "map_threads(lambda start, stop: seen.extend(look()), 4, threads=2)\nprint(sorted(set(seen)))"
    )
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[1]"


def test_threads_are_kept_and_cover_the_range_once():
    names, taken = set(), []

    def note(start, stop):
        names.add(current_thread().name)
        taken.extend(range(start, stop))

    for _ in range(3):
        map_threads(note, 37, threads=2)
    assert sorted(taken) == sorted(3 * list(range(37)))
    assert len(names) <= 2
    assert current_thread().name not in names


def test_work_may_itself_be_spread_over_threads():
    seen = []
    map_threads(lambda start, stop: map_threads(lambda a, b: seen.append((start, a)), 2, threads=2), 4, threads=2)
    assert sorted(seen) == [(k, j) for k in range(4) for j in range(2)]


def test_after_an_error_nothing_runs_on():
    failed, running = Event(), []

    def work(start, stop):
        if start == 0:
            failed.wait(10)
            running.append(start)
        else:
            failed.set()
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        map_threads(work, 2, threads=2)
    assert running == [0]


def _mapped(connection):
    seen = []
    map_threads(lambda start, stop: seen.extend(range(start, stop)), 4, threads=2)
    connection.send(sorted(seen))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    map_threads(lambda start, stop: None, 4, threads=2)
    context = multiprocessing.get_context("fork")
    mine, other = context.Pipe()
    child = context.Process(target=_mapped, args=(other,))
    child.start()
    assert mine.poll(30)
    assert mine.recv() == [0, 1, 2, 3]
    child.join(10)
