"""Memory that a failed callable leaves behind."""

from __future__ import annotations

import numpy as np
import pytest

from thalweg.potentials.compiled.callbacks import Callback


def fails(x):
    raise RuntimeError("out of licences")


@pytest.mark.parametrize("stored", [True, False])
def test_a_gradient_of_a_failed_call_is_nan(stored):
    callback = Callback(fails, fails, () if stored else (RuntimeError,))
    compiled = callback.compiled
    for _call in range(2):
        gradient = np.full(3, 1e200)  # what lay in this memory before
        energy = compiled.function(np.ones(3), gradient, compiled.integers, compiled.floats)
        assert np.isnan(energy)
        assert np.isnan(gradient).all()
    if stored:
        with pytest.raises(RuntimeError, match="licences"):
            callback.reraise()
