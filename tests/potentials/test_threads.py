"""Threads over walkers: BLAS has one thread meanwhile, and gets its own back."""

from __future__ import annotations

import numpy as np
import pytest
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
