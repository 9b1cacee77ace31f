"""Status codes: one number, one sentence, those of earlier versions read too."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from thalweg.optimizers.kernels.status import Rule, Status, current_reason, reasons
from thalweg.optimizers.rules import Rules

FORMER = "the way up has no end, as of an atom that leaves"


def test_every_status_has_a_sentence_of_its_own():
    sentences = [status.reason for status in Status]
    assert len(set(sentences)) == len(sentences)
    assert [Status.of(sentence) for sentence in sentences] == list(Status)
    assert [current_reason(sentence) for sentence in sentences] == sentences
    assert reasons(np.array([0, 10])) == ["converged", "energy of a known transition state"]


def test_sentences_of_earlier_versions_are_read():
    assert Status.of(FORMER) is Status.DIVERGED
    assert current_reason(FORMER) == Status.DIVERGED.reason == "uphill search diverged"
    assert current_reason("outside the bounds") == "outside the bounds"
    with pytest.raises(KeyError):
        Status.of("outside the bounds")


def test_compiled_code_sees_the_numbers():
    @numba.njit(numba.int64(numba.boolean))
    def ended(good):
        return Status.CONVERGED if good else Status.DIVERGED

    assert ended(True) == Status.CONVERGED == 0
    assert ended(False) == Status.DIVERGED == 9


def test_packed_rules_are_in_the_order_of_their_names():
    rules = Rules(memory=7, initial_diagonal=0.2, max_rise=1e-3, resets=3, signed_curvature=False)
    packed = rules.packed()
    assert len(packed) == len(Rule)
    for rule in Rule:
        assert packed[rule] == getattr(rules, rule.name.lower())
