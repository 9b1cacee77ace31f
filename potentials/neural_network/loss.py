"""Calculator of a network's loss; the loss and its gradient are computed in ``energy``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.cuda.availability import checked_device
from thalweg.potentials.cuda.functions import DeviceFunctions
from thalweg.potentials.lazy import public
from thalweg.potentials.neural_network.activations.kinds import ODD, checked_activations
from thalweg.potentials.neural_network.data import NetworkKind, checked_arguments, checked_inputs, pack_network
from thalweg.potentials.neural_network.energy import network_function, network_outputs
from thalweg.potentials.neural_network.hessian import network_hessian
from thalweg.potentials.neural_network.hessian_vector import network_hessian_vector
from thalweg.potentials.neural_network.locality import neighbour_mask
from thalweg.potentials.neural_network.losses.kinds import checked_loss
from thalweg.potentials.neural_network.losses.separation import falls_without_end
from thalweg.potentials.neural_network.losses.targets import (
    ClassWeight,
    checked_sample_weight,
    checked_targets,
    class_weights,
    data_weights,
    one_of,
)
from thalweg.potentials.neural_network.symmetry import MirroredNetworkSymmetry, NetworkSymmetry, output_shifts

if TYPE_CHECKING:
    from thalweg.potentials.point import Point
    from thalweg.potentials.protocols import Integers, Mask, Matrix, Vector

__all__ = ["NetworkLoss"]

LARGEST_HESSIAN = 4000  # weights: 128 MB


@public("thalweg.potentials")
class NetworkLoss(FlatCalculator):
    """Loss of a fully connected network on training data, with an L2 term.

    E(w) = mean over the data of a datum's loss + l2 * sum of w^2. The weight vector holds the weight matrices layer by
    layer from the input, each row by receiving unit, then the bias vectors. A datum's loss is, with its outputs y,

    - "cross_entropy": -ln p(label), p the softmax of the outputs, one for each class;
    - "logistic": sum over outputs of ln(1 + exp(y)) - target * y, the targets 0 or 1, as PyTorch's BCEWithLogitsLoss;
    - "squared_error": sum over outputs of (y - target)^2, without a factor 1/2.

    Finite weights never give NaN: in the loss, not in the L2 term, weights are cut at about 1e70 (for one hidden layer
    of 10; less for deeper networks, and for units and outputs that grow without bound).

    Parameters
    ----------
    inputs : array_like, shape (N, n_in)
        Training inputs, finite and below 1e50 in magnitude.
    targets : array_like
        What the network is to learn: classes counted from 0, shape (N,), for the cross-entropy; 0 or 1, shape (N,) or
        (N, outputs) for several labels at once, for the logistic loss; numbers below 1e50 in magnitude, shape (N,) or
        (N, outputs), for the squared error.
    hidden : int or sequence of int
        Widths of the hidden layers from the input; an empty sequence is softmax, logistic or linear regression.
    l2 : float
        Strength of the L2 term, at least 0.
    n_classes : int, optional
        Number of outputs of the cross-entropy, ``max(targets) + 1`` by default.
    neighbours : int, optional
        Number of nearest nodes that each hidden unit keeps in the layers below and above, see
        :func:`~thalweg.potentials.neural_network.locality.neighbour_mask`; the other weights are frozen at zero. All
        nodes by default.
    mislabelled : array_like of bool, shape (N,), optional
        True for labels known to be wrong; kept beside the data, without effect on the loss.
    device : {"auto", "cpu", "cuda"}
        Device that batches of walkers are evaluated on: "cuda" for a GPU, or "auto" for a GPU if there is one and the
        batch is large enough to gain. It has no effect on the results and is not stored. See docs/gpu.md.
    activation : {"tanh", "logistic", "softplus", "gelu", "silu"} or sequence of these
        Activation of the hidden units, one for all layers or one for each. "gelu" is z times the normal distribution
        function, PyTorch's default. "relu" is refused: it has kinks, see docs/networks.md.
    loss : {"cross_entropy", "logistic", "squared_error"}
        Loss of a datum.
    l2_biases : bool
        Whether the L2 term counts biases as well as weight matrices.
    sample_weight : array_like, shape (N,), optional
        Weight of each datum, at least 0. The mean over the data is the weighted one, sum of weight * loss / sum of
        weights, so that a weight of 2 is the same as the datum given twice, and a common factor changes nothing.
    class_weight : "balanced", mapping or array_like of shape (n_classes,), optional
        Weight of the data of each class, multiplied by ``sample_weight``; "balanced" as in scikit-learn.
    labels : array_like, optional
        Another name of ``targets``.

    Attributes
    ----------
    layers : tuple of int
        Widths from the inputs to the outputs.
    n_weights : int
        Length of the weight vector.
    mask : ndarray of bool, shape (n_weights,)
        True where a weight is free.
    targets : ndarray
        Targets of int64, or of float64 for the squared error; ``labels`` is the same array where each datum has one
        class.
    n_classes : int
        Number of classes or labels that have probabilities, 2 for one binary label; of outputs for the squared error.
    activation : tuple of str
        Activation of each hidden layer.
    inputs, mislabelled, l2, hidden, neighbours, loss, l2_biases, sample_weight, class_weight
        Arguments in their final form; the arrays are read-only copies.

    Raises
    ------
    ValueError
        For arguments that make no network; the message names the argument. For ``activation="relu"`` it says what is
        smooth and near.
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
    >>> heights = NetworkLoss([[0.0], [1.0], [2.0]], [0.0, 2.0, 1.0], (3,), activation="gelu", loss="squared_error")
    >>> round(heights.energy(np.zeros(10)), 6)
    1.666667
    """

    labels: Integers
    mask: Mask

    def __init__(
        self,
        inputs: ArrayLike,
        targets: ArrayLike | None = None,
        hidden: int | Sequence[int] = (10,),
        l2: float = 1e-4,
        n_classes: int | None = None,
        neighbours: int | None = None,
        mislabelled: ArrayLike | None = None,
        device: str = "auto",
        *,
        activation: str | Sequence[str] = "tanh",
        loss: str = "cross_entropy",
        l2_biases: bool = True,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight = None,
        labels: ArrayLike | None = None,
    ):
        self.device = checked_device(device)
        given = checked_arguments(inputs, hidden, l2, l2_biases, mislabelled)
        self.inputs, self.hidden, self.l2, self.mislabelled = given
        n, self.loss, self.l2_biases = len(self.inputs), checked_loss(loss), bool(l2_biases)
        self.activation = checked_activations(activation, len(self.hidden))
        found = checked_targets(one_of(targets, labels), n, self.loss, n_classes)
        self.targets, self.n_classes = found.given, found.n_classes
        self.targets.setflags(write=False)
        if self.classifies:
            self.labels = cast("Integers", self.targets)
        self.neighbours = neighbours
        self.layers = (self.inputs.shape[1], *self.hidden, found.outputs)
        self.mask = neighbour_mask(self.layers, neighbours)
        self.mask.setflags(write=False)
        self.n_weights = self.mask.size
        self.sample_weight = checked_sample_weight(sample_weight, n)
        self.class_weight = class_weights(class_weight, found, self.loss)
        kind = NetworkKind(self.activation, self.loss, self.l2_biases)
        packed = pack_network(self.layers, self.inputs, found.rows, self.l2, ~self.mask, kind, self.data_weights)
        self._integers, self._floats = packed
        super().__init__()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take a pickled state, also one of before there were other activations and losses."""
        former = {"loss": "cross_entropy", "l2_biases": True, "sample_weight": None, "class_weight": None}
        if "loss" not in state:
            former |= {"activation": ("tanh",) * len(state["hidden"]), "targets": state["labels"]}
            state = former | state
        self.__dict__.update(state)

    def set(self, **parameters: object) -> dict[str, Any]:
        """Raise TypeError for any parameter: a loss with other data or another shape is another loss."""
        if parameters:
            raise TypeError(f"a NetworkLoss cannot be changed ({', '.join(sorted(parameters))}): make a new one")
        return super().set()

    def __repr__(self) -> str:
        plain = ((name, value) for name, value in self._settings().items() if not isinstance(value, np.ndarray))
        others = "".join(f", {name}={value!r}" for name, value in plain)
        weighted = ", weighted" if self.sample_weight is not None or self.class_weight is not None else ""
        data = f"{len(self.inputs)} data{weighted}"
        return f"NetworkLoss({list(self.layers)}, {data}, l2={self.l2}, neighbours={self.neighbours}{others})"

    def _settings(self) -> dict[str, Any]:
        """Return the settings that are not those of a tanh network with cross-entropy, which stores of old lack."""
        names = set(self.activation)
        settings: dict[str, Any] = {}
        if names - {"tanh"}:
            settings["activation"] = self.activation[0] if len(names) == 1 else list(self.activation)
        if self.loss != "cross_entropy":
            settings["loss"] = self.loss
        if not self.l2_biases:
            settings["l2_biases"] = False
        weights = {"sample_weight": self.sample_weight, "class_weight": self.class_weight}
        return settings | {name: value for name, value in weights.items() if value is not None}

    @property
    def classifies(self) -> bool:
        """Whether each datum has one class: with the cross-entropy, or one binary label with the logistic loss."""
        return self.loss != "squared_error" and self.targets.ndim == 1

    @cached_property
    def data_weights(self) -> Vector | None:
        """Weights (N,) of the data in the mean, of the mean 1; None where all are equal."""
        return data_weights(self.sample_weight, self.class_weight, self.targets)

    @property
    def compiled(self) -> Compiled:
        """Functions that compiled optimizers call."""
        return Compiled(network_function, network_hessian, self._integers, self._floats)

    @cached_property
    def symmetry(self) -> NetworkSymmetry:  # type: ignore[override]
        """Permutations of hidden units, and sign changes of those whose activation is odd."""
        odd, logistic = [name in ODD for name in self.activation], [name == "logistic" for name in self.activation]
        if any(logistic) and (self.l2 == 0 or not self.l2_biases):
            return MirroredNetworkSymmetry(self.layers, self.mask, self.null_modes, odd, logistic)
        return NetworkSymmetry(self.layers, self.mask, self.null_modes, odd)

    @cached_property
    def null_modes(self) -> Matrix | None:  # type: ignore[override]
        """Null modes (k, n_weights): those weights that move all outputs of the cross-entropy alike.

        They are the weights of one unit into the outputs, or the biases of these, where the L2 term does not count
        them; None if there are none.
        """
        if self.loss != "cross_entropy" or (self.l2 > 0 and self.l2_biases):
            return None
        return output_shifts(self.layers, self.mask, with_weights=self.l2 == 0)

    def check_coordinates(self, x: Vector) -> None:
        """Raise ValueError unless x has the shape (n_weights,)."""
        if x.shape != (self.n_weights,):
            wanted = f"the {self.n_weights} weights of the network {list(self.layers)}"
            raise ValueError(f"x must hold {wanted}; its shape is {x.shape}")

    def falls_without_end(self, x: Vector) -> bool:
        """Return whether, for want of an L2 term, the loss falls without end from x as weights grow."""
        return self.l2 == 0 and self.loss != "squared_error" and falls_without_end(self, x)

    def has_idle_coordinates(self, x: Vector) -> bool:
        """Return whether an idle hidden unit's bias may be anything, as no L2 term counts it."""
        return not (self.l2 and self.l2_biases) and bool(self.symmetry.idle_biases(x).any())

    def random_coordinates(self, n: int, rng: np.random.Generator) -> Vector:
        """Draw weights (n_weights,) uniformly from (-1, 1), zero where frozen."""
        return np.where(self.mask, rng.uniform(-1.0, 1.0, self.n_weights), 0.0)

    def device_functions(self, n: int) -> DeviceFunctions:
        """Return the GPU functions; the training data are sent to the device once."""
        from thalweg.potentials.neural_network.cuda.hessian_vector import network_functions

        return network_functions(self)

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
        names = ["inputs", "labels", "hidden", "l2", "n_classes", "neighbours", "mislabelled"]
        if not self.classifies:
            names = ["inputs", "targets", "hidden", "l2", "neighbours", "mislabelled"]
        description = {name: getattr(self, name) for name in names}
        return {"name": "NetworkLoss", **description, "hidden": list(self.hidden), **self._settings()}

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

    def outputs(self, x: Vector, inputs: ArrayLike) -> Matrix:
        """Return the outputs (N, outputs) at inputs (N, n_in) for the weights x (n_weights,).

        They are predictions for the squared error; of others the softmax or logistic function makes probabilities.
        """
        return self._outputs(x, inputs, softmax=False)

    def _outputs(self, x: Vector, inputs: ArrayLike, softmax: bool) -> Matrix:
        inputs, x = checked_inputs(inputs, self.layers[0]), self._flat(x)
        out = np.empty((len(inputs), self.layers[-1]))
        network_outputs(x, self._integers, self._floats, inputs, out, softmax)
        return out

    def probabilities(self, x: Vector, inputs: ArrayLike) -> Matrix:
        """Return the probability of every class (N, n_classes) at inputs (N, n_in) for the weights x (n_weights,).

        With the logistic loss, these are the probabilities of 0 and of 1 for one label, and of a 1 for several.

        Raises
        ------
        TypeError
            With the squared error, which has no probabilities.
        """
        if self.loss == "squared_error":
            raise TypeError("a network with squared error has no probabilities: its predictions are outputs()")
        if self.loss == "cross_entropy":
            return self._outputs(x, inputs, softmax=True)
        from scipy.special import expit

        y = self.outputs(x, inputs)
        return np.asarray(expit(np.concatenate([-y, y], axis=1) if self.classifies else y))

    def with_data(self, inputs: ArrayLike, targets: ArrayLike) -> NetworkLoss:
        """Return the loss of the same network on other data (N, n_in) with targets, without weights of the data."""
        settings = {name: value for name, value in self._settings().items() if name != "sample_weight"}
        shape: dict[str, Any] = {"l2": self.l2, "neighbours": self.neighbours}
        shape["n_classes"] = self.n_classes if self.loss == "cross_entropy" else None
        return type(self)(inputs, targets, self.hidden, **shape, **settings)

    def mean_loss(self, x: ArrayLike, inputs: ArrayLike, targets: ArrayLike) -> float | Vector:
        """Return the mean loss of other data, without their weights and without the L2 term.

        Parameters
        ----------
        x : array_like, shape (n_weights,) or (walkers, n_weights)
            Weights, or one row of weights for each walker.
        inputs : array_like, shape (N, n_in)
            Inputs of the data.
        targets : array_like
            Targets of the data, of the kind and as many outputs as the network's own.

        Returns
        -------
        float, or ndarray of shape (walkers,)
        """
        inputs = checked_inputs(inputs, self.layers[0])
        found = checked_targets(targets, len(inputs), self.loss, self.n_classes)
        frozen, kind = np.zeros(self.n_weights, dtype=bool), NetworkKind(self.activation, self.loss)
        packed = pack_network(self.layers, inputs, found.rows, 0.0, frozen, kind)
        rows = map(self._flat, np.atleast_2d(np.asarray(x, dtype=np.float64)))
        losses = [network_function(row, np.empty_like(row), *packed) for row in rows]
        return losses[0] if np.ndim(x) == 1 else np.array(losses)

    def cross_entropy(self, x: ArrayLike, inputs: ArrayLike, labels: ArrayLike) -> float | Vector:
        """Return the mean of -ln p(label) over other data, without the L2 term.

        Parameters
        ----------
        x, inputs
            As for :meth:`mean_loss`.
        labels : array_like of int, shape (N,)
            Labels of the data.

        Returns
        -------
        float, or ndarray of shape (walkers,)

        Raises
        ------
        TypeError
            With the squared error, which has no probabilities: use :meth:`mean_loss`.
        """
        if self.loss == "squared_error":
            raise TypeError("a network with squared error has no probabilities: use mean_loss()")
        return self.mean_loss(x, inputs, labels)
