"""Loss of a function of JAX over a tree of parameters as a potential, with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.function import checked_null_modes, described_null_modes
from thalweg.potentials.point import Point

if TYPE_CHECKING:
    from thalweg.potentials.protocols import Matrix, Symmetry, Vector

__all__ = ["JaxLoss", "from_jax"]


class JaxLoss(FlatCalculator):
    """Function of JAX whose parameters, a tree of arrays, are flattened in the order of ``ravel_pytree``.

    Parameters
    ----------
    function : callable
        Function of the tree that returns one number.
    parameters : tree of arrays
        Its shape, and the coordinates of the point.
    name : str
    symmetry : Symmetry or None
    null_modes : (k, n) array_like, callable or None
        Directions along which the function never changes, as for a :class:`~thalweg.potentials.Function`.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        parameters: Any,
        name: str,
        symmetry: Symmetry | None,
        null_modes: ArrayLike | Callable[[Vector], ArrayLike] | None = None,
    ):
        super().__init__()
        import jax
        from jax.flatten_util import ravel_pytree

        flat, self._unravel = ravel_pytree(jax.tree.map(lambda leaf: np.asarray(leaf, dtype=np.float64), parameters))
        self.start, self.function_name, self.symmetry = np.array(flat, dtype=np.float64), name, symmetry
        self._structure: Any = jax.tree.structure(parameters)
        self._shapes = [np.shape(leaf) for leaf in jax.tree.leaves(parameters)]
        self.null_modes = checked_null_modes(null_modes, self.start.size)
        self.declares_symmetry = null_modes is not None

        def loss(x: Any) -> Any:
            return function(self._unravel(x))

        gradient = jax.grad(loss)
        self._energy_gradient = jax.jit(jax.value_and_grad(loss))
        self._hessian = jax.jit(jax.hessian(loss))
        self._product = jax.jit(lambda x, v: jax.jvp(gradient, (x,), (v,))[1])

    def __repr__(self) -> str:
        return f"JaxLoss({self.function_name}, {self.start.size} parameters)"

    def describe(self) -> dict[str, Any]:
        """Return the name of the function and the shape of its parameters; it cannot be built from them again."""
        described = {"name": "JaxLoss", "function": self.function_name, "parameters": str(self._structure)}
        return described | described_null_modes(self.null_modes)

    def check_coordinates(self, x: Vector) -> None:
        """Raise ValueError unless x has one entry for each parameter."""
        if x.shape != self.start.shape:
            raise ValueError(f"x must hold the {self.start.size} parameters; its shape is {x.shape}")

    def has_structure(self, parameters: Any) -> bool:
        """Return whether an object is a tree of parameters of the structure and shapes that the function takes."""
        import jax

        leaves, structure = jax.tree.flatten(parameters)
        return structure == self._structure and [np.shape(leaf) for leaf in leaves] == self._shapes

    def pack(self, parameters: Any) -> Vector:
        """Return a tree of parameters of the same structure and shapes as coordinates (n,).

        Raises
        ------
        ValueError
            If the tree has another structure, or a leaf another shape.
        """
        import jax

        leaves, structure = jax.tree.flatten(parameters)
        if structure != self._structure:
            raise ValueError(f"the parameters must be the tree {self._structure}; they are {structure}")
        paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(parameters)]
        arrays = [np.asarray(leaf, dtype=np.float64) for leaf in leaves]
        for path, leaf, shape in zip(paths, arrays, self._shapes, strict=True):
            if leaf.shape != shape:
                raise ValueError(f"the parameters {path} must have the shape {shape}; theirs is {leaf.shape}")
        return np.concatenate([leaf.ravel() for leaf in arrays])

    def unpack(self, x: ArrayLike) -> Any:
        """Return coordinates x (n,) as the tree of parameters."""
        import jax.numpy as jnp

        return self._unravel(jnp.asarray(self._flat(x)))

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return the loss and its gradient (n,) at x (n,)."""
        value, gradient = self._energy_gradient(self._flat(x))
        return float(value), np.array(gradient, dtype=np.float64)

    def hessian(self, x: Vector) -> Matrix:
        """Return the exact second derivatives (n, n) at x (n,)."""
        matrix = np.array(self._hessian(self._flat(x)), dtype=np.float64)
        return 0.5 * (matrix + matrix.T)

    def hessian_vector(self, x: Vector, v: Vector) -> Vector:
        """Return the exact product (n,) of the Hessian at x with v, both (n,)."""
        return np.array(self._product(self._flat(x), self._flat(v, "v")), dtype=np.float64)


def from_jax(
    function: Callable[[Any], Any],
    parameters: Any,
    *,
    name: str | None = None,
    symmetry: Symmetry | None = None,
    null_modes: ArrayLike | Callable[[Vector], ArrayLike] | None = None,
) -> Point:
    """Return a function of JAX over a tree of parameters as a point to explore, with exact derivatives.

    Parameters
    ----------
    function : callable
        Function of the tree that returns one number, data and L2 term included.
    parameters : tree of arrays
        Dictionary, list or other tree of arrays, as JAX has it: the coordinates of the point.
    name : str, optional
        Name in stores; the function's by default.
    symmetry : Symmetry, optional
        Operations that leave the loss unchanged, such as a :class:`~thalweg.potentials.BlockSymmetry`.
    null_modes : (k, n) array_like or callable, optional
        Directions along which the function never changes: the same at all points, or a function of the coordinates
        x (n,) that returns tangent vectors (k, n). See docs/surfaces.md.

    Returns
    -------
    Point
        ``.calc.unpack(x)`` returns the tree of parameters for coordinates x.

    Raises
    ------
    ImportError
        If JAX is not installed.
    ValueError
        If JAX computes in single precision, or the function does not return one number.

    Examples
    --------
    >>> from thalweg.analysis import from_jax
    >>> import jax, jax.numpy as jnp  # doctest: +SKIP
    >>> jax.config.update("jax_enable_x64", True)  # doctest: +SKIP
    >>> from_jax(lambda p: jnp.sum((p["a"] - p["b"]) ** 2), {"a": [1.0, 2.0], "b": 0.5})  # doctest: +SKIP
    Point(n=3, calc=JaxLoss(<lambda>, 3 parameters))
    """
    try:
        import jax
    except ImportError as error:
        raise ImportError("from_jax needs JAX: pip install jax") from error
    if not getattr(jax.config, "jax_enable_x64"):  # noqa: B009  (its type has no such attribute)
        raise ValueError(
            "JAX computes in single precision, too coarse for stationary points: "
            'jax.config.update("jax_enable_x64", True) before anything else'
        )
    named = name or str(getattr(function, "__name__", type(function).__name__))
    loss = JaxLoss(function, parameters, named, symmetry, null_modes)
    try:
        loss.energy_gradient(loss.start)
    except TypeError as error:
        raise ValueError(f"the function must return one number: {error}") from error
    return Point(loss.start, loss)
