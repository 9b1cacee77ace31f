"""Loss of any module of PyTorch as a potential, by autograd in float64."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thalweg.analysis.models.hidden_units import hidden_unit_symmetry
from thalweg.analysis.models.torch_derivatives import ModuleDerivatives
from thalweg.analysis.models.torch_modes import refuse_randomness
from thalweg.analysis.models.torch_networks import (
    LinearChain,
    activation_of,
    kinks_of,
    linear_chain,
    loss_of_criterion,
    packed,
)
from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.function import checked_null_modes, described_null_modes
from thalweg.potentials.neural_network.loss import NetworkLoss
from thalweg.potentials.neural_network.symmetry import MirroredNetworkSymmetry, NetworkSymmetry
from thalweg.potentials.neural_network.weights import Weights
from thalweg.potentials.point import Point

if TYPE_CHECKING:
    import torch
    from torch import nn

    from thalweg.potentials.protocols import Matrix, Symmetry, Vector

__all__ = ["TorchLoss", "from_torch"]


class TorchLoss(FlatCalculator):
    """PyTorch's own criterion on all data, plus l2 times the sum of squared parameters.

    The coordinates are the module's parameters, one after the other, each flattened; of a chain of linear layers all
    weight matrices come first and then all biases, as in a NetworkLoss. The module is copied to the CPU, in float64 and
    in evaluation mode: dropout is off, and batch normalisation uses its running means.

    Parameters
    ----------
    module, criterion : torch.nn.Module
    inputs, targets : torch.Tensor
    l2 : float
    symmetry : Symmetry or None
        Operations that leave the loss unchanged.
    null_modes : (k, n) array_like, callable or None
        Directions along which the loss never changes, as for a :class:`~thalweg.potentials.Function`.

    Attributes
    ----------
    names : list of str
        Names of the parameters, in the order of the coordinates.
    hidden_units : list of str
        Layers between which hidden units may be exchanged, if :func:`from_torch` was told.
    """

    def __init__(
        self,
        module: nn.Module,
        criterion: nn.Module,
        inputs: torch.Tensor,
        targets: torch.Tensor,
        l2: float,
        symmetry: Symmetry | None,
        null_modes: ArrayLike | Callable[[Vector], ArrayLike] | None = None,
    ):
        super().__init__()
        self.module = copy.deepcopy(module).cpu().double().eval()
        self.criterion = copy.deepcopy(criterion).cpu().double()
        self.inputs, self.targets, self.l2, self.symmetry = inputs, targets, float(l2), symmetry
        named = dict(self.module.named_parameters())
        chain = linear_chain(self.module)
        if chain is not None:
            where = {id(value): name for name, value in named.items()}
            weights, biases = [one.weight for one in chain.linear], [one.bias for one in chain.linear]
            named = {where[id(value)]: named[where[id(value)]] for value in (*weights, *biases)}
        self.names = list(named)
        self._trained = [name for name, value in named.items() if value.requires_grad]
        self._buffers = dict(self.module.named_buffers())
        self._derivatives = ModuleDerivatives(self.module, self.criterion, inputs, targets, self.names)
        self.null_modes = checked_null_modes(null_modes, self._derivatives.n)
        self.declares_symmetry = null_modes is not None
        self.hidden_units: list[str] = []

    def __repr__(self) -> str:
        name, criterion = type(self.module).__name__, type(self.criterion).__name__
        return (
            f"TorchLoss({name}, {criterion}, {self._derivatives.n} parameters, {len(self.inputs)} data, l2={self.l2})"
        )

    @property
    def sizes(self) -> list[int]:
        """Number of entries of each parameter, in the order of the coordinates."""
        return self._derivatives.sizes

    @property
    def kinks(self) -> str | None:
        """Activation with kinks among what is computed, such as a relu that the module calls as a function."""
        return self._derivatives.kinks

    def describe(self) -> dict[str, Any]:
        """Return what tells this loss from others; it cannot be built again without the module."""
        import hashlib

        digest = hashlib.sha256()
        for part in (self.inputs, self.targets, *self._buffers.values()):
            digest.update(np.ascontiguousarray(part.detach().cpu().numpy()).tobytes())
        described = {"name": "TorchLoss", "module": str(self.module), "criterion": str(self.criterion), "l2": self.l2}
        described |= {"parameters": self.names, "data": digest.hexdigest()}
        described |= {"hidden_units": self.hidden_units} if self.hidden_units else {}
        return described | described_null_modes(self.null_modes)

    def check_coordinates(self, x: Vector) -> None:
        """Raise ValueError unless x has one entry for each parameter."""
        if x.shape != (self._derivatives.n,):
            raise ValueError(f"x must hold the {self._derivatives.n} parameters of the module; its shape is {x.shape}")

    def random_coordinates(self, n: int, rng: np.random.Generator) -> Vector:
        """Draw parameters (n,) uniformly from (-1, 1), as for a NetworkLoss."""
        return rng.uniform(-1.0, 1.0, n)

    def pack(self, module: nn.Module | Mapping[str, torch.Tensor]) -> Vector:
        """Return the parameters of a module of the same shape, or its ``state_dict()``, as coordinates (n,)."""
        held: Mapping[str, torch.Tensor]
        held = module if isinstance(module, Mapping) else dict(module.named_parameters())
        missing = [name for name in self.names if name not in held]
        if missing:
            raise ValueError(f"these parameters of the module are missing: {', '.join(missing)}")
        buffers = module if isinstance(module, Mapping) else dict(module.named_buffers())
        for name, value in self._buffers.items():  # a state_dict need not have all
            if name in buffers and not bool((buffers[name].detach().cpu().double() == value.double()).all()):
                raise ValueError(
                    f"{name} of the module differs from that of the module whose loss this is: theirs are two losses"
                )
        return np.concatenate([held[name].detach().cpu().double().numpy().ravel() for name in self.names])

    def unpack(self, x: ArrayLike) -> nn.Module:
        """Return a copy of the module, in float64 and evaluation mode, with coordinates x (n,) as its parameters."""
        import torch

        module, given = copy.deepcopy(self.module), torch.tensor(self._flat(x))
        held = dict(module.named_parameters())
        parts = given.split([held[name].numel() for name in self.names])
        for name, part in zip(self.names, parts, strict=True):
            held[name].data.copy_(part.view_as(held[name]))
            held[name].requires_grad_(name in self._trained)
        return module

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return the loss and its gradient (n,) at x (n,)."""
        x = self._flat(x)
        value, gradient = self._derivatives.value_and_gradient(x)
        return value + self.l2 * float(x @ x), gradient + 2.0 * self.l2 * x

    def hessian(self, x: Vector) -> Matrix:
        """Return the exact second derivatives (n, n) at x (n,)."""
        matrix = self._derivatives.hessian(self._flat(x))
        return 0.5 * (matrix + matrix.T) + 2.0 * self.l2 * np.eye(len(matrix))

    def hessian_vector(self, x: Vector, v: Vector) -> Vector:
        """Return the exact product (n,) of the Hessian at x with v, both (n,)."""
        v = self._flat(v, "v")
        return self._derivatives.product(self._flat(x), v) + 2.0 * self.l2 * v


def from_torch(
    module: nn.Module,
    criterion: nn.Module,
    X: ArrayLike,
    y: ArrayLike,
    l2: float = 0.0,
    *,
    hidden_units: Sequence[tuple[str, str]] = (),
    symmetry: Symmetry | None = None,
    null_modes: ArrayLike | Callable[[Vector], ArrayLike] | None = None,
) -> Point:
    """Return a PyTorch model on its data as a point to explore.

    The energy is PyTorch's own criterion on all data plus l2 times the sum of squared parameters. A Sequential of
    linear layers with tanh, sigmoid, softplus, GELU or SiLU between them becomes a
    :class:`~thalweg.potentials.NetworkLoss`, which is compiled; any other module is computed by PyTorch in float64 on
    the CPU, with exact derivatives. Its loss must be a fixed function of the parameters: a module with dropout or batch
    normalisation is to be in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        The model; its parameters are the coordinates of the point. It is copied.
    criterion : torch.nn.Module
        Such as ``torch.nn.CrossEntropyLoss()``; a function of outputs and targets that returns one number.
    X : (N, ...) array_like or torch.Tensor
        Inputs.
    y : (N, ...) array_like or torch.Tensor
        Targets, as the criterion takes them.
    l2 : float
        Strength of the L2 term, at least 0.
    hidden_units : sequence of (str, str)
        Hidden layers whose units may be exchanged, each by the names of the layers before and behind it, such as
        ``[("body.0", "body.2")]``; whether units may also change sign, as with tanh, is found out. Without
        them, each minimum of a module that does not become a NetworkLoss is counted once for each order of its units.
    symmetry : Symmetry, optional
        Operations that leave the loss of a module unchanged that is no chain of linear layers, such as a
        :class:`~thalweg.potentials.BlockSymmetry`. The exchanges of hidden units of chains are known.
    null_modes : (k, n) array_like or callable, optional
        Directions along which the loss of a module never changes that is no chain of linear layers with activations,
        such as the rotations of the hidden layer of a linear network: the same at all points, or a function of the
        coordinates x (n,) that returns tangent vectors (k, n). See docs/surfaces.md.

    Returns
    -------
    Weights or Point
        ``.calc.unpack(x)`` of a module that is no NetworkLoss returns the module with other parameters;
        :func:`to_torch` does so for Weights.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    ValueError
        If a part of the model has kinks (ReLU and its like), where no gradient vanishes at a minimum; the module has
        dropout or batch normalisation in training mode, or is random; l2 is negative; the criterion does not return
        one number; or symmetry or null modes are given for a NetworkLoss, which has its own.

    Examples
    --------
    >>> from thalweg.analysis import from_torch
    >>> import torch  # doctest: +SKIP
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))  # doctest: +SKIP
    >>> from_torch(model, torch.nn.CrossEntropyLoss(), [[0.0, 1.0], [1.0, 0.0]], [0, 1]).calc  # doctest: +SKIP
    NetworkLoss([2, 3, 2], 2 data, l2=0.0, neighbours=None)
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError("from_torch needs PyTorch: pip install torch") from error
    _refuse_kinks(kinks_of(module, criterion))
    if not l2 >= 0:
        raise ValueError(f"l2 must be at least 0; it is {l2}")
    # arrays are copied: PyTorch warns of those that may not be written to, such as a Dataset's
    inputs, targets = (torch.as_tensor(np.array(v) if isinstance(v, np.ndarray) else v).detach().cpu() for v in (X, y))
    if not any(isinstance(part, torch.nn.Embedding | torch.nn.EmbeddingBag) for part in module.modules()):
        inputs = inputs.double()  # an embedding takes whole numbers
    targets = targets.double() if targets.is_floating_point() else targets
    refuse_randomness(module, inputs)
    chain = linear_chain(module)
    found = None if chain is None else _as_network(chain, criterion, inputs, targets, l2)
    if found is not None:
        if symmetry is not None or null_modes is not None or hidden_units:
            raise ValueError(
                "symmetry, hidden_units and null_modes of this module are known: it is computed as a NetworkLoss"
            )
        return found
    if hidden_units and (symmetry is not None or chain is not None):
        known = "symmetry= is given" if symmetry is not None else "those of a chain of linear layers are known"
        raise ValueError(f"leave hidden_units out: {known}")
    if chain is not None and symmetry is None:
        symmetry = _symmetry(chain, l2)
    try:
        loss = TorchLoss(module, criterion, inputs, targets, l2, symmetry, null_modes)
    except RuntimeError as error:
        raise ValueError(f"the criterion must return one number for these data, and did not: {error}") from error
    _refuse_kinks(loss.kinks)
    if hidden_units:
        loss.symmetry = hidden_unit_symmetry(loss, hidden_units)
        loss.hidden_units = [f"{before} {behind}" for before, behind in hidden_units]
    return Point(loss.pack(module), loss)


def _refuse_kinks(name: str | None) -> None:
    """Raise ValueError if a part of a model, by its name, has kinks."""
    if name is not None:
        raise ValueError(
            f"{name} has kinks: the loss is not differentiable there, and minima lie at kinks, where no gradient "
            "vanishes. Smooth and near are Softplus and GELU for activations, MSELoss for a criterion"
        )


def _symmetry(chain: LinearChain, l2: float) -> NetworkSymmetry:
    """Return exchanges and sign changes of units, and mirror images of logistic ones where no L2 term counts biases."""
    logistic = [activation_of(part) == "logistic" for part in chain.activations]
    if l2 == 0 and any(logistic):
        return MirroredNetworkSymmetry(chain.layers, None, None, chain.odd, logistic)
    return NetworkSymmetry(chain.layers, odd=chain.odd)


def _as_network(
    chain: LinearChain, criterion: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, l2: float
) -> Weights | None:
    """Return a chain of linear layers as Weights of a NetworkLoss; None where that computes another loss."""
    names = [activation_of(part) for part in chain.activations]
    outputs = chain.layers[-1]
    loss = loss_of_criterion(criterion, outputs)
    classes = loss == "cross_entropy"
    shaped = targets.ndim == 1 if classes else targets.shape in ((len(inputs),), (len(inputs), 1))
    if loss is None or None in names or inputs.ndim != 2 or not shaped or (classes and targets.is_floating_point()):
        return None
    if not classes and targets.ndim == 1:  # PyTorch would broadcast (N, 1) against (N,)
        return None
    given = targets.numpy() if classes else targets.double().numpy().reshape(len(inputs), 1)
    network = NetworkLoss(
        inputs.numpy(), given, hidden=chain.layers[1:-1], l2=l2, n_classes=outputs if classes else None,
        activation=[str(name) for name in names] if names else "tanh", loss=loss,
    )  # fmt: skip
    return Weights(network, packed(chain))
