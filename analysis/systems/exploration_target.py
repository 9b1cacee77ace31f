"""Exploration target: a system resolved from its name or file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thalweg.datasets import Dataset
    from thalweg.landscapes.tolerances import Tolerances
    from thalweg.potentials.protocols import Subject

__all__ = ["Explored"]


@dataclass(frozen=True)
class Explored:
    """System that a name stands for.

    Attributes
    ----------
    name : str
        Name, as :func:`~thalweg.analysis.systems.named.resolve_name` returns it.
    title : str
        Description in one line.
    subject : ase.Atoms, Weights or Point
        Object that a Landscape explores.
    test : Dataset or None
        Testing data of a network.
    reference : int or str
        Class that AUC tells from the rest, or "macro" for the mean over all.
    data : dict
        JSON-able origin of the training and the testing data; empty for a system without data.
    tolerances : Tolerances or None
        Tolerances of a new store, where the default ones do not suit.
    ahead : int or None
        Tasks in flight of a new store, where the default number does not suit.
    symmetry : dict
        Which points are the same, as a Landscape takes it; empty where that is not asked.
    moves : sequence of str or None
        Basin-hopping moves by name, where those that suit the system are not wanted.
    """

    name: str
    title: str
    subject: Subject
    test: Dataset | None = None
    reference: int | str = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    tolerances: Tolerances | None = None
    ahead: int | None = None
    symmetry: Mapping[str, Any] = field(default_factory=dict)
    moves: Sequence[str] | None = None
