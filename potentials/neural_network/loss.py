"""Calculator of a network's loss; the loss and its gradient are computed in ``energy``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.cuda.availability import checked_device
from thalweg.potentials.cuda.functions import DeviceFunctions
from thalweg.potentials.lazy import public
from thalweg.potentials.neural_network.data import checked_data, checked_inputs, checked_labels, pack_network
from thalweg.potentials.neural_network.energy import network_function, network_probabilities
from thalweg.potentials.neural_network.hessian import network_hessian
from thalweg.potentials.neural_network.hessian_vector import network_hessian_vector
from thalweg.potentials.neural_network.locality import neighbour_mask
from thalweg.potentials.neural_network.symmetry import NetworkSymmetry

if TYPE_CHECKING:
    from thalweg.potentials.point import Point
    from thalweg.potentials.protocols import Mask, Matrix, Vector

__all__ = ["NetworkLoss"]

LARGEST_HESSIAN = 4000  # weights: 128 MB
_THREADS = 128  # of a block on a GPU, one a datum


@public("thalweg.potentials")
class NetworkLoss(FlatCalculator):
    """Cross-entropy of a tanh network that classifies, with an L2 term over all weights and biases.

    E(w) = -(1/N) sum over data of ln p(label) + l2 * sum of w^2, where p is the softmax of the outputs. The weight
    vector holds the weight matrices layer by layer from the input, each row by receiving unit, then the bias vectors.

    Finite weights never give NaN: in the cross-entropy, not in the L2 term, weights are cut at about 1e70 (for one
    hidden layer of 10; less for deeper networks).

    Parameters
    ----------
    inputs : array_like, shape (N, n_in)
        Training inputs, finite and below 1e50 in magnitude.
    labels : array_like of int, shape (N,)
        Training labels: classes counted from 0.
    hidden : int or sequence of int
        Widths of the hidden layers from the input; an empty sequence is softmax regression.
    l2 : float
        Strength of the L2 term, at least 0.
    n_classes : int, optional
        Number of outputs, ``max(labels) + 1`` by default.
    neighbours : int, optional
        Number of nearest nodes that each hidden unit keeps in the layers below and above, see
        :func:`~thalweg.potentials.neural_network.locality.neighbour_mask`; the other weights are frozen at zero. All
        nodes by default.
    mislabelled : array_like of bool, shape (N,), optional
        True for labels known to be wrong; kept beside the data, without effect on the loss.
    device : {"auto", "cpu", "cuda"}
        Device that batches of walkers are evaluated on: "cuda" for a GPU, or "auto" for a GPU if there is one and the
        batch is large enough to gain. It has no effect on the results and is not stored. See docs/gpu.md.

    Attributes
    ----------
    layers : tuple of int
        Widths from the inputs to the outputs.
    n_weights : int
        Length of the weight vector.
    mask : ndarray of bool, shape (n_weights,)
        True where a weight is free.
    inputs, labels, mislabelled, l2, hidden, n_classes, neighbours
        Arguments in their final form; the arrays are read-only copies.

    Raises
    ------
    ValueError
        For data, labels, widths, l2 or neighbours that make no network; the message names the argument.
    TypeError
        For widths, n_classes or neighbours that are no integers, or an unknown keyword.
    RuntimeError
        For device="cuda" without a GPU; the message says what was found and what to install.

    References
    ----------
    S. R. Chitturi et al., Mach. Learn.: Sci. Technol. 1 (2020) 023002, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg.potentials import NetworkLoss
    >>> loss = NetworkLoss([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1], hidden=(3,), l2=1e-4)
    >>> loss
    NetworkLoss([2, 3, 2], 3 data, l2=0.0001, neighbours=None)
    >>> energy, gradient = loss.energy_gradient(np.zeros(loss.n_weights))
    >>> round(energy, 6), gradient.shape
    (0.693147, (17,))
    """

    mask: Mask

    def __init__(
        self,
        inputs: ArrayLike,
        labels: ArrayLike,
        hidden: int | Sequence[int] = (10,),
        l2: float = 1e-4,
        n_classes: int | None = None,
        neighbours: int | None = None,
        mislabelled: ArrayLike | None = None,
        device: str = "auto",
    ):
        self.device = checked_device(device)
        data = checked_data(inputs, labels, hidden, l2, n_classes, mislabelled)
        self.inputs, self.labels, self.hidden, self.l2, self.n_classes, self.mislabelled = data
        self.neighbours = None if neighbours is None else neighbours
        self.layers = (self.inputs.shape[1], *self.hidden, self.n_classes)
        self.mask = neighbour_mask(self.layers, neighbours)
        self.mask.setflags(write=False)
        self.n_weights = self.mask.size
        self._integers, self._floats = pack_network(self.layers, self.inputs, self.labels, self.l2, ~self.mask)
        super().__init__()

    def set(self, **parameters: object) -> dict[str, Any]:
        """Raise TypeError for any parameter: a loss with other data or another shape is another loss."""
        if parameters:
            raise TypeError(f"a NetworkLoss cannot be changed ({', '.join(sorted(parameters))}): make a new one")
        return super().set()

    def __repr__(self) -> str:
        return f"NetworkLoss({list(self.layers)}, {len(self.labels)} data, l2={self.l2}, neighbours={self.neighbours})"

    @property
    def compiled(self) -> Compiled:
        """Functions that compiled optimizers call."""
        return Compiled(network_function, network_hessian, self._integers, self._floats)

    @cached_property
    def symmetry(self) -> NetworkSymmetry:  # type: ignore[override]
        """Permutations and sign changes of hidden units."""
        return NetworkSymmetry(self.layers, self.mask, self.null_modes)

    @cached_property
    def null_modes(self) -> Matrix | None:  # type: ignore[override]
        """Null modes (k, n_weights) for l2 = 0, one unit or bias moving all outputs alike; None for l2 > 0."""
        if self.l2 > 0:
            return None
        below, classes = self.layers[-2:]
        start = sum(a * b for a, b in zip(self.layers[:-2], self.layers[1:-1], strict=True))
        columns = start + np.arange(below * classes).reshape(classes, below).T
        groups = [*columns, np.arange(self.n_weights - classes, self.n_weights)]
        free = [group for group in groups if self.mask[group].all()]
        modes = np.zeros((len(free), self.n_weights))
        for mode, group in zip(modes, free, strict=True):
            mode[group] = classes**-0.5
        return modes

    def check_coordinates(self, x: Vector) -> None:
        """Raise ValueError unless x has the shape (n_weights,)."""
        if x.shape != (self.n_weights,):
            wanted = f"the {self.n_weights} weights of the network {list(self.layers)}"
            raise ValueError(f"x must hold {wanted}; its shape is {x.shape}")

    def random_coordinates(self, n: int, rng: np.random.Generator) -> Vector:
        """Draw weights (n_weights,) uniformly from (-1, 1), zero where frozen."""
        return np.where(self.mask, rng.uniform(-1.0, 1.0, self.n_weights), 0.0)

    def device_functions(self, n: int) -> DeviceFunctions:
        """Return the GPU functions; the training data are sent to the device once."""
        from thalweg.potentials.neural_network.cuda import loss_gradient, network_pack, network_rows
        from thalweg.potentials.neural_network.cuda_hessian_vector import loss_product

        return DeviceFunctions(
            gradient=loss_gradient,
            product=loss_product,
            pack=partial(network_pack, self),
            threads=_THREADS,
            rows=network_rows(self),
            product_rows=network_rows(self, product=True),
            constant=True,
        )

    def point(self, x: Vector, frozen: Mask) -> Point:
        """Return Weights at x (n_weights,), or a Point if x is not zero at a weight that the loss freezes."""
        from thalweg.potentials.neural_network.weights import Weights

        if np.any(np.asarray(x)[~self.mask] != 0):
            return super().point(x, frozen)
        weights = Weights(self, x)
        weights.frozen = np.array(frozen, dtype=bool)
        return weights

    def describe(self) -> dict[str, Any]:
        """Return all arguments from which the loss can be built again, data included."""
        names = ("inputs", "labels", "hidden", "l2", "n_classes", "neighbours", "mislabelled")
        description = {name: getattr(self, name) for name in names}
        return {"name": "NetworkLoss", **description, "hidden": list(self.hidden)}

    def hessian(self, x: Vector) -> Matrix:
        """Return the second derivatives (n_weights, n_weights) at x, with zero rows and columns at frozen weights.

        Raises
        ------
        ValueError
            Above 4000 weights, for which the matrix is too large: use :meth:`hessian_vector`.
        """
        if self.n_weights > LARGEST_HESSIAN:
            size = f"{self.n_weights} x {self.n_weights}"
            raise ValueError(f"a Hessian of {size} is refused (at most {LARGEST_HESSIAN} weights): use hessian_vector")
        return super().hessian(x)

    def hessian_vector(self, x: Vector, v: Vector) -> Vector:
        """Return the exact product (n_weights,) of the Hessian at x with v, at the cost of two or three gradients."""
        x, v = self._flat(x), self._flat(v, "v")
        out = np.empty_like(x)
        network_hessian_vector(x, v, out, self._integers, self._floats)
        return out

    def probabilities(self, x: Vector, inputs: ArrayLike) -> Matrix:
        """Return the probability of every class (N, n_classes) at inputs (N, n_in) for the weights x (n_weights,)."""
        inputs, x = checked_inputs(inputs, self.layers[0]), self._flat(x)
        out = np.empty((len(inputs), self.n_classes))
        network_probabilities(x, self._integers, self._floats, inputs, out)
        return out

    def cross_entropy(self, x: ArrayLike, inputs: ArrayLike, labels: ArrayLike) -> float | Vector:
        """Return the loss on other data, without the L2 term.

        Parameters
        ----------
        x : array_like, shape (n_weights,) or (walkers, n_weights)
            Weights, or one row of weights for each walker.
        inputs : array_like, shape (N, n_in)
            Inputs of the data.
        labels : array_like of int, shape (N,)
            Labels of the data.

        Returns
        -------
        float, or ndarray of shape (walkers,)
            Mean of -ln p(label) over the data.
        """
        inputs = checked_inputs(inputs, self.layers[0])
        labels, _ = checked_labels(labels, len(inputs), self.n_classes)
        integers, floats = pack_network(self.layers, inputs, labels, 0.0, np.zeros(self.n_weights, dtype=bool))
        rows = [self._flat(row) for row in np.atleast_2d(np.asarray(x, dtype=np.float64))]
        losses = [network_function(row, np.empty_like(row), integers, floats) for row in rows]
        return losses[0] if np.ndim(x) == 1 else np.array(losses)
