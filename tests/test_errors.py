"""Exceptions of the package behave as others do: they are pickled, copied, and raised in other processes."""

from __future__ import annotations

import copy
import inspect
import pickle
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context

import pytest

from thalweg.landscapes import LockedError, RejectedError, StoreError

PACKAGES = ("potentials", "optimizers", "datasets", "landscapes", "analysis")


def exceptions():
    """Return the exceptions that the packages define, exported or not."""
    for package in PACKAGES:
        module = import_module(f"thalweg.{package}")
        for name in module.__all__:
            getattr(module, name)  # loads the modules of lazy names
    import thalweg.analysis.cli.main
    import thalweg.analysis.paper.page_command  # noqa: F401

    found, left = [], [BaseException]
    while left:
        below = left.pop().__subclasses__()
        found += [kind for kind in below if kind.__module__.partition(".")[0] == "thalweg"]
        left += below
    return sorted(set(found), key=lambda kind: kind.__name__)


def example(kind):
    needed = [p for p in inspect.signature(kind.__init__).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
    error = kind(*(f"{p.name} of it" for p in needed)) if needed else kind("a message")
    error.more = 3.5  # what code elsewhere has set
    return error


@pytest.mark.parametrize("kind", exceptions(), ids=lambda kind: kind.__name__)
def test_every_exception_survives_pickling(kind):
    error = example(kind)
    copies = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for again in [*copies, copy.copy(error), copy.deepcopy(error)]:
        assert type(again) is kind
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_a_process_pool_reports_it():
    """An exception that cannot be unpickled breaks the whole pool: BrokenProcessPool, and no word of the reason."""
    reject = "from thalweg.landscapes import RejectedError as error; raise error('gradient too large', 'it is 3')"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(RejectedError, match="it is 3") as caught:
            pool.submit(exec, reject).result()
        assert caught.value.reason == "gradient too large"
        assert pool.submit(abs, -1).result() == 1


def test_the_message_is_what_it_says():
    error = RejectedError("gradient too large", "the gradient is 3")
    assert str(error) == "the gradient is 3"
    assert error.args == ("the gradient is 3",)
    assert issubclass(LockedError, StoreError)
