"""What the kernels of a network are made for, and the integers and floats that they take. Loads no numba.cuda.

`integers` is [data, place of the entries, where the entries of every chunk of inputs begin, the entries], and an entry
is (weight, row of its dE/dz, row of its activation or -1 for a bias). Frozen weights have no entry. At the end stands
the number of weights that the L2 term counts. `floats` is [l2, largest weight taken as it is, 1 for each free and 0 for
each frozen weight, inputs with the data index innermost, labels or a row of targets for each output, the weights of the
data where there are any].
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thalweg.potentials.neural_network.activations.kinds import ACTIVATIONS, TANH
from thalweg.potentials.neural_network.losses.kinds import CROSS_ENTROPY, LOSSES

if TYPE_CHECKING:
    from thalweg.potentials.neural_network.loss import NetworkLoss

__all__ = ["FLOATS", "HEADER", "DeviceLayer", "DeviceNetwork", "device_network", "network_pack"]

HEADER, FLOATS = 2, 2  # numbers before the chunks among the integers, and before the mask among the floats
_CHUNK = 16  # inputs whose gradients are summed at a time


class DeviceLayer(NamedTuple):
    """A layer of weights, as the functions of it know it.

    Attributes
    ----------
    inner, outer : int
        Units below and above.
    weight, bias, unit : int
        First weight, first bias, and first unit above, of all in the network.
    code : int
        Activation above, -1 for outputs.
    """

    inner: int
    outer: int
    weight: int
    bias: int
    unit: int
    code: int


class DeviceNetwork(NamedTuple):
    """What the kernels of a network are made for.

    Attributes
    ----------
    widths : tuple of int
        Units of each layer, inputs and outputs among them.
    activations : tuple of int
        Code of the activation of each hidden layer.
    loss : int
    weighted : bool
        Whether the data have weights.
    """

    widths: tuple[int, ...]
    activations: tuple[int, ...]
    loss: int = CROSS_ENTROPY
    weighted: bool = False

    @property
    def hidden(self) -> int:
        """Number of hidden units: each has a row of the scratch for its activation."""
        return sum(self.widths[1:-1])

    @property
    def units(self) -> int:
        """Number of hidden units and outputs: each has a row for its dE/dz, behind the activations."""
        return sum(self.widths[1:])

    @property
    def chunk(self) -> int:
        """Number of inputs whose gradients are summed at a time: their rows come behind those of dE/dz."""
        return min(_CHUNK, self.widths[0])

    @property
    def chunks(self) -> int:
        """Number of such chunks of the inputs."""
        return -(-self.widths[0] // self.chunk)

    @property
    def moving(self) -> int:
        """Number of rows before those that Hessian-vector products need besides."""
        return self.hidden + self.units + self.chunk

    @property
    def kept(self) -> int:
        """Number of rows for slopes: none where all units are tanh, whose slopes follow from their values."""
        return 0 if set(self.activations) <= {TANH} else self.hidden

    @property
    def rows(self) -> int:
        """Number of rows for the gradient."""
        return self.moving + self.kept

    @property
    def slopes(self) -> int:
        """How many rows behind an activation its slope is kept for Hessian-vector products, where it is."""
        return self.moving + self.hidden + self.units

    @property
    def bends(self) -> int:
        """The same of its second derivative."""
        return self.slopes + self.hidden

    @property
    def product_rows(self) -> int:
        """Number of rows for Hessian-vector products."""
        return self.slopes + 2 * self.kept

    @property
    def weights(self) -> int:
        """Number of weights and biases."""
        return sum((inner + 1) * outer for inner, outer in pairwise(self.widths))

    @property
    def codes(self) -> tuple[int, ...]:
        """Codes of the activations, each once."""
        return tuple(sorted(set(self.activations))) or (TANH,)

    @property
    def layers(self) -> tuple[DeviceLayer, ...]:
        """The layers of weights from the inputs on; all weights come before all biases."""
        places = list(accumulate((inner * outer for inner, outer in pairwise(self.widths)), initial=0))
        above = list(accumulate(self.widths[1:], initial=0))
        codes = (*self.activations, -1)
        return tuple(
            DeviceLayer(inner, outer, places[k], places[-1] + above[k], above[k], codes[k])
            for k, (inner, outer) in enumerate(pairwise(self.widths))
        )


def device_network(loss: NetworkLoss) -> DeviceNetwork:
    """Return what the kernels of a network are made for."""
    codes = tuple(ACTIVATIONS[name] for name in loss.activation)
    return DeviceNetwork(tuple(map(int, loss.layers)), codes, LOSSES[loss.loss], loss.data_weights is not None)


def network_pack(loss: NetworkLoss) -> tuple[np.ndarray, np.ndarray]:
    """Return the integers and floats that the device functions take."""
    network, data = device_network(loss), len(loss.inputs)
    entries = [_chunk_entries(loss.mask, network, k) for k in range(network.chunks)]
    bounds = np.cumsum([0, *map(len, entries)])
    counted = network.weights if loss.l2_biases else network.layers[0].bias
    integers = np.concatenate([[data, HEADER + len(bounds)], bounds, np.concatenate(entries).ravel(), [counted]])
    limit = loss.compiled.floats[1]
    weights = np.empty(0) if loss.data_weights is None else loss.data_weights
    targets = np.asarray(loss.targets).reshape(data, -1).T.ravel()
    floats = np.concatenate([[loss.l2, limit], loss.mask, loss.inputs.T.ravel(), targets, weights])
    return integers.astype(np.int64), floats.astype(np.float64)


def _chunk_entries(mask: np.ndarray, network: DeviceNetwork, number: int) -> np.ndarray:
    """Return the entries (k, 3) of one chunk of the inputs; the first has those of all other weights too."""
    found, hidden, units = [], network.hidden, network.units
    for k, layer in enumerate(network.layers if number == 0 else network.layers[:1]):
        rows = hidden + layer.unit + np.arange(layer.outer)
        first = number * network.chunk if k == 0 else 0
        sources = np.arange(first, min(first + network.chunk, layer.inner) if k == 0 else layer.inner)
        row, source = np.repeat(rows, len(sources)), np.tile(sources, layer.outer)
        weight = layer.weight + (row - rows[0]) * layer.inner + source
        place = source + (hidden + units - first if k == 0 else layer.unit - layer.inner)
        found.append(np.column_stack([weight, row, place]))
        if number == 0:
            found.append(np.column_stack([layer.bias + np.arange(layer.outer), rows, np.full(layer.outer, -1)]))
    entries = np.concatenate(found)
    return entries[mask[entries[:, 0]]]
