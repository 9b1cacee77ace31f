"""Symmetry of a network: permutations and sign changes of hidden units, which leave its loss unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import factorial, prod
from typing import TYPE_CHECKING

import numpy as np

from thalweg.potentials.neural_network.alignment import align_all
from thalweg.potentials.symmetry.stabiliser import stabiliser_order

if TYPE_CHECKING:
    from thalweg.potentials.protocols import Integers, Mask, Matrix, Vector

__all__ = ["MirroredNetworkSymmetry", "NetworkSymmetry", "output_shifts"]

_MEAN, _ZERO = 0.45, 0.1  # shares of symmetric points with the mean of two units, and with a unit of zeros
_VANISHED = 1e-5  # weights below this are those of an idle unit: at a minimum they are zero but for the gradient left


class NetworkSymmetry:
    """Symmetry operations of a network, fully connected or with frozen connections.

    The units of a hidden layer may be permuted, and where their activation is odd, as tanh is, the incoming weights,
    the bias and the outgoing weights of a unit may change sign together. With a mask, only units with the same
    connections are exchanged.

    Parameters
    ----------
    layers : sequence of int
        Widths from the inputs to the outputs.
    mask : array_like of bool, shape (n_weights,), optional
        True where a weight is free; all by default.
    null_modes : array_like, shape (k, n_weights), optional
        Orthonormal directions, closed under the permutations, along which the loss is constant: distances ignore
        them.
    odd : sequence of bool, optional
        Whether the activation of each hidden layer is odd; that of all by default.

    Raises
    ------
    ValueError
        If the mask, the null modes or ``odd`` do not match the layers.
    """

    _odd: tuple[bool, ...] | None = None  # that of a symmetry that was pickled before there were other activations

    def __init__(
        self,
        layers: Sequence[int],
        mask: Mask | None = None,
        null_modes: Matrix | None = None,
        odd: Sequence[bool] | None = None,
    ):
        self.layers = tuple(int(width) for width in layers)
        pairs = list(zip(self.layers[:-1], self.layers[1:], strict=True))
        ends = np.cumsum([below * above for below, above in pairs] + list(self.layers[1:]))
        self._slices = [slice(end - size, end) for end, size in zip(ends, np.diff(ends, prepend=0), strict=True)]
        self._shapes = [(above, below) for below, above in pairs]
        self.n = int(ends[-1])
        self.mask = np.ones(self.n, dtype=bool) if mask is None else np.array(mask, dtype=bool)
        if self.mask.shape != (self.n,):
            raise ValueError(f"mask must have the shape ({self.n},); it has {self.mask.shape}")
        self._null = np.zeros((0, self.n)) if null_modes is None else np.array(null_modes, dtype=np.float64)
        if self._null.shape[1:] != (self.n,):
            raise ValueError(f"null_modes must have the shape (k, {self.n}); it has {self._null.shape}")
        self._odd = None if odd is None else tuple(odd)
        if self._odd is not None and len(self._odd) != len(pairs) - 1:
            raise ValueError(f"odd must hold one entry for each of the {len(pairs) - 1} hidden layers; it is {odd}")
        self._masked = not self.mask.all()
        self._groups = [self._classes(layer) for layer in range(len(pairs) - 1)]

    @property
    def groups(self) -> list[list[Integers]]:
        """Indices of the units of each hidden layer that may be exchanged, a list of groups a layer."""
        return self._groups

    @property
    def size(self) -> int:
        """Number of symmetry operations, which is the number of copies of a point without symmetry of its own."""
        return prod(
            factorial(group.size) * (2**group.size if self.is_odd(layer) else 1)
            for layer, groups in enumerate(self.groups)
            for group in groups
        )

    def is_odd(self, layer: int) -> bool:
        """Return whether units of a hidden layer may change sign."""
        return self._odd is None or self._odd[layer]

    def split(self, x: Vector) -> list[Vector]:
        """Return views of x (..., n): the weight matrices (..., above, below) layer by layer, then the bias vectors."""
        parts = [x[..., part] for part in self._slices]
        matrices = zip(parts, self._shapes, strict=False)
        return [part.reshape(*x.shape[:-1], *shape) for part, shape in matrices] + parts[len(self._shapes) :]

    def units(self, parts: list[Vector], layer: int, below: bool = True, above: bool = True) -> Matrix:
        """Return a row for each unit of a hidden layer: incoming weights and bias, or outgoing weights, or all."""
        rows = []
        if below:
            rows += [parts[layer], parts[len(self._shapes) + layer][..., None]]
        if above:
            rows.append(np.swapaxes(parts[layer + 1], -1, -2))
        return np.concatenate(rows, axis=-1)

    def _classes(self, layer: int) -> list[Integers]:
        """Return the indices of the units of a hidden layer, grouped by their connections."""
        kinds: dict[bytes, list[int]] = {}
        for unit, row in enumerate(self.units(self.split(self.mask), layer)):
            kinds.setdefault(row.tobytes(), []).append(unit)
        return [np.array(kind) for kind in kinds.values()]

    def _apply(self, parts: list[Vector], layer: int, order: Integers, signs: Vector) -> None:
        """Replace unit i of a hidden layer by unit order[i] times signs[i], in place."""
        bias = len(self._shapes) + layer
        parts[layer][:] = parts[layer][order] * signs[:, None]
        parts[bias][:] = parts[bias][order] * signs
        parts[layer + 1][:] = parts[layer + 1][:, order] * signs

    def _match(
        self,
        a: list[Vector],
        b: list[Vector],
        layer: int,
        below: bool = True,
        above: bool = True,
    ) -> bool:
        """Assign the units of one layer of b to the nearest ones of a; return whether a unit moved."""
        overlap = self.units(a, layer, below, above) @ self.units(b, layer, below, above).T
        width, odd = self.layers[layer + 1], self.is_odd(layer)
        score = np.abs(overlap) if odd else overlap
        from scipy.optimize import linear_sum_assignment  # takes a third of a second, which many scripts do not need

        order = np.arange(width)
        for group in self.groups[layer]:
            block = score if group.size == width else score[np.ix_(group, group)]
            order[group] = group[linear_sum_assignment(block, maximize=True)[1]]
        here = np.arange(width)
        signs = np.where(overlap[here, order] < 0, -1.0, 1.0) if odd else np.ones(width)
        # a swap must gain: among equal overlaps the assignment may otherwise never settle
        gain = score[here, order].sum() - overlap[here, here].sum()
        if gain <= 1e-14 * np.abs(overlap).sum():
            return False
        self._apply(b, layer, order, signs)
        return True

    def _alternate(self, a: list[Vector], b: list[Vector]) -> None:
        """Match one layer after the other, with all connections of each unit, until no unit moves."""
        moved = True
        while moved:
            moved = False
            for layer in range(len(self.groups)):
                moved |= self._match(a, b, layer)
            moved &= len(self.groups) > 1

    def align(self, a: Vector, b: Vector) -> Vector:
        """Return the copy of b (n,) nearest to a (n,).

        With one hidden layer it is certainly the nearest: the assignment problem is solved. With more layers it is the
        best of three: matched from the inputs up, from the outputs down, and from b as it is, each followed by matching
        the layers in turn until no unit moves. Copies of stationary points with an L2 term are always recognised, since
        units whose incoming weights agree then agree in their outgoing weights as well.

        Raises
        ------
        ValueError
            If a or b has the wrong shape, or is not finite.
        """
        a, b = self._checked(a, "a"), self._checked(b, "b")
        scale = max(np.abs(a).max(), np.abs(b).max())
        scale = scale if scale > 1e100 else 1.0  # squares must not overflow
        null_a, null_b = self._null.T @ (self._null @ a), self._null.T @ (self._null @ b)
        target, start = (a - null_a) / scale, (b - null_b) / scale
        best, smallest = start, np.inf
        for way in self._starts():
            trial = start.copy()
            self._run(target, trial, way)
            difference = trial - target
            length = difference @ difference
            if length < smallest:
                best, smallest = trial, length
            if smallest <= 1e-24 * (target @ target):
                break
        best = best * scale + null_a
        return np.where(self.mask, best, b) if self._masked else best

    def align_all(self, a: Vector, points: Matrix) -> Matrix:
        """Return for each row of points (m, n) a copy near to a (n,), both without what lies along null modes.

        It is done twenty times as fast as by :meth:`align`, and with several hidden layers not always the nearest.
        """
        # row by row: the digits of a product may depend on how many rows it has
        rest = np.array([x - self._null.T @ (self._null @ x) for x in points])
        return align_all(self, a - self._null.T @ (self._null @ a), rest)

    def _starts(self) -> tuple[str, ...]:
        depth = len(self.groups)
        return ("none",) if depth == 0 else ("as it is",) if depth == 1 else ("upwards", "downwards", "as it is")

    def _run(self, target: Vector, trial: Vector, way: str) -> None:
        a, b = self.split(target), self.split(trial)
        layers = range(len(self.groups))
        if way == "upwards":
            for layer in layers:
                self._match(a, b, layer, above=False)
        elif way == "downwards":
            for layer in reversed(layers):
                self._match(a, b, layer, below=False)
        self._alternate(a, b)

    def _shaped(self, x: Vector, name: str) -> Vector:
        x = np.asarray(x, dtype=np.float64)
        if x.shape != (self.n,):
            raise ValueError(f"{name} must have the shape ({self.n},); it has {x.shape}")
        return x

    def _checked(self, x: Vector, name: str) -> Vector:
        x = self._shaped(x, name)
        if not np.isfinite(x).all():
            raise ValueError(f"{name} must be finite; it has NaN or infinite entries")
        return x

    def distance(self, a: Vector, b: Vector) -> float:
        """Return the Euclidean distance from a (n,) to the nearest copy of b (n,)."""
        return float(np.linalg.norm(self.align(a, b) - a))

    def order(self, x: Vector, tolerance: float = 1e-6) -> int:
        """Return the number of symmetry operations that leave x unchanged.

        Units that are equal may be exchanged, odd ones also if they are equal up to sign, and odd units of zeros may
        change sign; at a stationary point with an L2 term there are no other such operations.

        Parameters
        ----------
        x : array_like, shape (n,)
            Weights.
        tolerance : float
            Largest Euclidean distance between equal units, relative to the longest unit where that exceeds 1.
        """
        x = self._checked(x, "x")
        parts, order = self.split(x), 1
        for layer, groups in enumerate(self.groups):
            units = self.units(parts, layer)
            limit = tolerance * max(1.0, np.linalg.norm(units, axis=1).max())
            for group in groups:
                order *= stabiliser_order(units[group], limit, self.is_odd(layer))
        return order

    @property
    def exchanges(self) -> bool:
        """Whether there are two units that can be exchanged."""
        return any(group.size > 1 for groups in self.groups for group in groups)

    def made_symmetric(self, x: Vector, rng: np.random.Generator) -> Vector:
        """Return x (n,) with two equal units in a hidden layer, or with a unit of zeros where units are odd.

        The gradient has every symmetry that x has, so a search from there stays symmetric and finds points that
        searches without symmetry seldom reach. Both units become their mean, with the signs that bring them nearer,
        or one of them with half of its outgoing weights.

        Raises
        ------
        ValueError
            If x has the wrong shape, or no two units can be exchanged.
        """
        x = self._shaped(x, "x")
        choices = [(layer, group) for layer, groups in enumerate(self.groups) for group in groups if group.size > 1]
        if not choices:
            raise ValueError("no two units of this network can be exchanged")
        made = x.copy()
        parts = self.split(made)
        layer, group = choices[rng.choice(len(choices), p=_shares([group.size for _, group in choices]))]
        odd = self.is_odd(layer)
        pair, way = rng.choice(group, 2, replace=False), rng.random()
        first, second = self.units(parts, layer)[pair]
        with np.errstate(over="ignore", invalid="ignore"):  # if huge or not finite, any sign will do
            second = -second if odd and first @ second < 0.0 else second
        incoming = self.layers[layer] + 1
        unit = (
            0.5 * first + 0.5 * second if way < _MEAN else first * np.where(np.arange(first.size) < incoming, 1.0, 0.5)
        )
        if odd and way >= 1.0 - _ZERO:
            pair, unit = pair[:1], np.zeros_like(unit)
        parts[layer][pair], parts[len(self._shapes) + layer][pair] = unit[: incoming - 1], unit[incoming - 1]
        parts[layer + 1][:, pair] = unit[incoming:, None]
        return np.where(self.mask, made, x) if self._masked else made

    def random_copy(self, x: Vector, rng: np.random.Generator) -> Vector:
        """Return x (n,) after a random symmetry operation."""
        x = self._checked(x, "x")
        copy = x.copy()
        parts = self.split(copy)
        for layer, groups in enumerate(self.groups):
            order = np.arange(self.layers[layer + 1])
            for group in groups:
                order[group] = rng.permutation(group)
            signs = rng.choice([-1.0, 1.0], order.size) if self.is_odd(layer) else np.ones(order.size)
            self._apply(parts, layer, order, signs)
        return np.where(self.mask, copy, x) if self._masked else copy

    def idle_biases(self, x: Vector) -> Mask:
        """Return which weights (n_weights,) are free biases of idle hidden units, whose other weights all vanish.

        No output depends on such a unit, whatever its bias is.
        """
        layers, small = self.layers, np.abs(x) < _VANISHED
        starts = np.cumsum([0, *(a * b for a, b in pairwise(layers))])
        matrices = [small[a:b].reshape(outer, -1) for (a, b), outer in zip(pairwise(starts), layers[1:], strict=True)]
        idle, place = np.zeros(small.size, dtype=bool), int(starts[-1])
        for incoming, outgoing in pairwise(matrices):
            idle[place : place + len(incoming)] = incoming.all(axis=1) & outgoing.all(axis=0)
            place += len(incoming)
        return idle & self.mask


class MirroredNetworkSymmetry(NetworkSymmetry):
    """Symmetry operations of a network whose L2 term does not count biases, and which has logistic units.

    Since logistic(-z) = 1 - logistic(z), a logistic unit may change the sign of its incoming weights and bias and of
    its outgoing weights v, if v is added to the biases above. The logistic function is (1 + tanh(z / 2)) / 2: with the
    biases above raised by v / 2, which is done to every point first, this is the sign change of an odd unit.

    Parameters
    ----------
    layers, mask, null_modes, odd
        As for :class:`NetworkSymmetry`.
    logistic : sequence of bool
        Whether the units of each hidden layer are logistic.
    """

    def __init__(
        self,
        layers: Sequence[int],
        mask: Mask | None,
        null_modes: Matrix | None,
        odd: Sequence[bool],
        logistic: Sequence[bool],
    ):
        super().__init__(layers, mask, odd=[a or b for a, b in zip(odd, logistic, strict=True)])
        self._logistic = tuple(logistic)
        if null_modes is not None:
            raised = np.array([self._raised(mode, 0.5) for mode in null_modes])
            self._null = np.linalg.qr(raised.T)[0].T

    def _raised(self, x: Vector, share: float) -> Vector:
        """Return x (..., n) with a share of each logistic unit's outgoing weights added to the biases above."""
        x = np.array(x, dtype=np.float64)
        parts = self.split(x)
        for layer, logistic in enumerate(self._logistic):
            if logistic:
                parts[len(self._shapes) + layer + 1][:] += share * parts[layer + 1].sum(axis=-1)
        return x

    def align(self, a: Vector, b: Vector) -> Vector:
        """Return a copy of b (n,) near to a (n,); that of the same point is a itself."""
        a, b = self._raised(self._checked(a, "a"), 0.5), self._raised(self._checked(b, "b"), 0.5)
        return self._raised(super().align(a, b), -0.5)

    def align_all(self, a: Vector, points: Matrix) -> Matrix:
        """Return for each row of points (m, n) a copy near to a (n,), both without what lies along null modes."""
        return self._raised(super().align_all(self._raised(a, 0.5), self._raised(points, 0.5)), -0.5)

    def order(self, x: Vector, tolerance: float = 1e-6) -> int:
        """Return the number of symmetry operations that leave x unchanged."""
        return super().order(self._raised(self._checked(x, "x"), 0.5), tolerance)

    def made_symmetric(self, x: Vector, rng: np.random.Generator) -> Vector:
        """Return x (n,) with two units that are equal or mirror images, or with a unit of zeros."""
        return self._raised(super().made_symmetric(self._raised(self._shaped(x, "x"), 0.5), rng), -0.5)

    def random_copy(self, x: Vector, rng: np.random.Generator) -> Vector:
        """Return x (n,) after a random symmetry operation."""
        return self._raised(super().random_copy(self._raised(self._checked(x, "x"), 0.5), rng), -0.5)


def output_shifts(layers: Sequence[int], mask: Mask, with_weights: bool) -> Matrix:
    """Return the changes of weights that move all outputs alike, shape (k, n_weights), orthonormal.

    They are those of the outputs' biases and, `with_weights`, of the weights that lead from one unit to the outputs,
    where all of these are free.
    """
    below, classes, n = layers[-2], layers[-1], mask.size
    start = sum(a * b for a, b in pairwise(layers[:-1]))
    columns = start + np.arange(below * classes).reshape(classes, below).T
    groups = [*(columns if with_weights else []), np.arange(n - classes, n)]
    free = [group for group in groups if mask[group].all()]
    modes = np.zeros((len(free), n))
    for mode, group in zip(modes, free, strict=True):
        mode[group] = classes**-0.5
    return modes


def _shares(sizes: Sequence[int]) -> Vector:
    """Return each group's share of all pairs of units."""
    pairs = np.array([size * (size - 1) for size in sizes], dtype=np.float64)
    return pairs / pairs.sum()
