"""Analytic surfaces in two dimensions with known stationary points."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.potentials.calculator import FlatCalculator
from thalweg.potentials.compiled.signatures import Compiled
from thalweg.potentials.lazy import public
from thalweg.potentials.surfaces.kernels import (
    gaussians_function,
    gaussians_hessian,
    polynomial_function,
    polynomial_hessian,
)

if TYPE_CHECKING:
    from thalweg.potentials.protocols import Matrix, Vector

__all__ = ["Himmelblau", "MuellerBrown", "SixHumpCamel", "Surface", "ThreeHumpCamel", "WolfeQuapp", "polynomial"]

# Signs for the tables below: points come in pairs that inversion maps on each other
_BOTH = np.array([[1.0], [-1.0]])


def polynomial(terms: Sequence[tuple[float, dict[int, int]]]) -> Compiled:
    """Return the compiled functions of a polynomial in any number of variables.

    Parameters
    ----------
    terms : sequence of (coefficient, {variable: power})
        Terms of the polynomial: ``(2.0, {0: 3, 1: 1})`` is 2 x0**3 x1; powers are positive whole numbers.

    Returns
    -------
    Compiled

    Raises
    ------
    ValueError
        If a power is not a positive whole number, or a coefficient not finite.
    """
    starts, factors, coefficients = [0], [], []
    for coefficient, powers in terms:
        if not np.isfinite(coefficient):
            raise ValueError(f"coefficients must be finite; one is {coefficient}")
        for variable, power in powers.items():
            if int(power) != power or power < 1 or variable < 0:
                raise ValueError(f"a term maps variables to positive whole powers; one has {powers}")
            factors += [int(variable), int(power)]
        starts.append(len(factors) // 2)
        coefficients.append(float(coefficient))
    integers = np.array([len(terms), *starts, *factors], dtype=np.int64)
    return Compiled(polynomial_function, polynomial_hessian, integers, np.array(coefficients))


class Surface(FlatCalculator):
    """Base class of potentials with a known list of stationary points.

    Attributes
    ----------
    n : int
        Number of coordinates.
    bounds : ndarray, shape (n, 2)
        Lowest and highest value of each coordinate: a System starts searches inside, and they fail outside.
    minima, transition_states : ndarray, shape (k, n)
        All minima and all transition states, by rising energy.
    """

    n = 2
    _bounds: np.ndarray
    _minima: np.ndarray
    _transition_states: np.ndarray

    @property
    def bounds(self) -> Matrix:  # type: ignore[override]
        """Lowest and highest value of each coordinate, shape (n, 2)."""
        return self._bounds.copy()

    @property
    def minima(self) -> Matrix:
        """All minima, shape (k, n), by rising energy."""
        return self._minima.copy()

    @property
    def transition_states(self) -> Matrix:
        """All transition states, shape (k, n), by rising energy."""
        return self._transition_states.copy()

    def set(self, **parameters: object) -> dict[str, Any]:
        """Set parameters; as in ASE, return those that changed."""
        changed = super().set(**parameters)
        self._functions = self._compile()
        return changed

    @abstractmethod
    def _compile(self) -> Compiled:
        """Return the compiled functions."""

    def __repr__(self) -> str:
        parameters = ", ".join(f"{name}={value}" for name, value in dict(self.parameters).items())
        return f"{type(self).__name__}({parameters})"

    @property
    def compiled(self) -> Compiled:
        """Compiled functions."""
        return self._functions

    def check_coordinates(self, x: Vector) -> None:
        """Raise ValueError unless x has the shape (n,)."""
        if x.shape != (self.n,):
            raise ValueError(f"x must have the {self.n} coordinates of {type(self).__name__}; its shape is {x.shape}")

    def random_coordinates(self, n: int, rng: np.random.Generator) -> Vector:
        """Draw a point (n,) uniformly within the bounds."""
        self.check_coordinates(np.empty(n))
        return rng.uniform(self.bounds[:, 0], self.bounds[:, 1])


@public("thalweg.potentials")
class MuellerBrown(Surface):
    """Müller-Brown surface, a model of a reaction along a bent path: 3 minima and 2 transition states.

    The energy is a sum of four Gaussians in two variables.

    References
    ----------
    K. Müller and L. D. Brown, Theor. Chim. Acta 53 (1979) 75.

    Examples
    --------
    >>> from thalweg.potentials import MuellerBrown
    >>> surface = MuellerBrown()
    >>> len(surface.minima), len(surface.transition_states), round(surface.energy(surface.minima[0]), 6)
    (3, 2, -146.699517)
    """

    _bounds = np.array([[-1.6, 1.2], [-0.4, 2.1]])
    _minima = np.array(
        [
            [-0.5582236346330243, 1.4417258418046686],
            [0.6234994049308765, 0.02803775852868566],
            [-0.05001082299820607, 0.4666941048719721],
        ]
    )
    _transition_states = np.array(
        [[0.212486582000662, 0.2929883251073678], [-0.8220015587327321, 0.6243128028148713]],
    )

    def _compile(self) -> Compiled:
        rows = np.array(
            [
                [-200.0, -1.0, 0.0, -10.0, 1.0, 0.0],
                [-100.0, -1.0, 0.0, -10.0, 0.0, 0.5],
                [-170.0, -6.5, 11.0, -6.5, -0.5, 1.5],
                [15.0, 0.7, 0.6, 0.7, -1.0, 1.0],
            ]
        )
        return Compiled(gaussians_function, gaussians_hessian, np.zeros(1, dtype=np.int64), rows.ravel())


@public("thalweg.potentials")
class SixHumpCamel(Surface):
    """Six-hump camel surface: 6 minima, 7 transition states and 2 maxima.

    The energy is (4 - 2.1 x^2 + x^4 / 3) x^2 + x y + (4 y^2 - 4) y^2.

    References
    ----------
    L. C. W. Dixon and G. P. Szego, in Towards Global Optimisation 2 (North-Holland, 1978), p. 1.

    Examples
    --------
    >>> from thalweg.potentials import SixHumpCamel
    >>> surface = SixHumpCamel()
    >>> len(surface.minima), len(surface.transition_states), round(surface.energy(surface.minima[0]), 6)
    (6, 7, -1.031628)
    """

    _bounds = np.array([[-2.0, 2.0], [-1.0, 1.0]])
    _minima = np.array(
        np.concatenate(
            [
                _BOTH * [0.08984201310031807, -0.7126564030207396],
                _BOTH * [1.7036067149699808, -0.7960835686726251],
                _BOTH * [1.6071047529201976, 0.5686514548841313],
            ]
        )
    )
    _transition_states = np.array(
        np.concatenate(
            [
                [[0.0, 0.0]],
                _BOTH * [1.1092053368047863, -0.7682680925095399],
                _BOTH * [1.6380679841897785, 0.22867406904439405],
                _BOTH * [1.296070267167109, 0.6050843880386585],
            ]
        )
    )

    def _compile(self) -> Compiled:
        pure = [(4.0, {0: 2}), (-2.1, {0: 4}), (1.0 / 3.0, {0: 6}), (-4.0, {1: 2}), (4.0, {1: 4})]
        return polynomial([*pure, (1.0, {0: 1, 1: 1})])


@public("thalweg.potentials")
class ThreeHumpCamel(Surface):
    """Three-hump camel surface: 3 minima and 2 transition states.

    The energy is 2 x^2 - 1.05 x^4 + x^6 / 6 + x y + y^2.

    Examples
    --------
    >>> from thalweg.potentials import ThreeHumpCamel
    >>> surface = ThreeHumpCamel()
    >>> len(surface.minima), len(surface.transition_states), surface.energy(surface.minima[0])
    (3, 2, 0.0)
    """

    _bounds = np.array([[-2.5, 2.5], [-2.5, 2.5]])
    _minima = np.array(np.concatenate([[[0.0, 0.0]], _BOTH * [1.747552345830289, -0.8737761729151445]]))
    _transition_states = np.array(_BOTH * [1.0705422918236598, -0.5352711459118299])

    def _compile(self) -> Compiled:
        pure = [(2.0, {0: 2}), (-1.05, {0: 4}), (1.0 / 6.0, {0: 6}), (1.0, {1: 2})]
        return polynomial([*pure, (1.0, {0: 1, 1: 1})])


@public("thalweg.potentials")
class Himmelblau(Surface):
    """Himmelblau's surface: 4 minima of energy 0, 4 transition states and 1 maximum.

    The energy is (x^2 + y - 11)^2 + (x + y^2 - 7)^2.

    References
    ----------
    D. M. Himmelblau, Applied Nonlinear Programming (McGraw-Hill, 1972).

    Examples
    --------
    >>> from thalweg.potentials import Himmelblau
    >>> surface = Himmelblau()
    >>> surface.minima[0], surface.energy(surface.minima[0])
    (array([3., 2.]), 0.0)
    """

    _bounds = np.array([[-5.0, 5.0], [-5.0, 5.0]])
    _minima = np.array(
        [
            [3.0, 2.0],
            [3.5844283403304917, -1.8481265269644036],
            [-2.805118086952745, 3.131312518250573],
            [-3.779310253377747, -3.283185991286169],
        ]
    )
    _transition_states = np.array(
        [
            [3.3851541836070207, 0.07385187983774916],
            [0.08667750455539651, 2.8842547011747763],
            [-3.0730257507643897, -0.08135304428796757],
            [-0.12796134673068005, -1.9537149802445763],
        ]
    )

    def _compile(self) -> Compiled:
        pure = [(1.0, {0: 4}), (-21.0, {0: 2}), (-14.0, {0: 1}), (1.0, {1: 4}), (-13.0, {1: 2}), (-22.0, {1: 1})]
        return polynomial([*pure, (2.0, {0: 2, 1: 1}), (2.0, {0: 1, 1: 2}), (170.0, {})])


@public("thalweg.potentials")
class WolfeQuapp(Surface):
    """Wolfe-Quapp surface: 3 minima, 3 transition states and 1 maximum.

    The energy is x^4 + y^4 - 2 x^2 - 4 y^2 + x y + 0.3 x + 0.1 y.

    References
    ----------
    S. Wolfe, H. B. Schlegel, I. G. Csizmadia and F. Bernardi, J. Am. Chem. Soc. 97 (1975) 2020; W. Quapp, J. Chem.
    Phys. 122 (2005) 174106.

    Examples
    --------
    >>> from thalweg.potentials import WolfeQuapp
    >>> surface = WolfeQuapp()
    >>> len(surface.minima), len(surface.transition_states), round(surface.energy(surface.minima[0]), 6)
    (3, 3, -6.762453)
    """

    _bounds = np.array([[-2.5, 2.5], [-2.5, 2.5]])
    _minima = np.array(
        [
            [-1.1740560572097627, 1.4770870591140515],
            [1.1241017554091357, -1.4852742781258919],
            [-0.8219078272217286, -1.3667295891454303],
        ]
    )
    _transition_states = np.array(
        [
            [-0.3032105577484368, -1.4013375886000126],
            [-1.022244487395115, -0.1160622663838169],
            [0.9409694802021209, 0.1312517227043224],
        ]
    )

    def _compile(self) -> Compiled:
        pure = [(1.0, {0: 4}), (1.0, {1: 4}), (-2.0, {0: 2}), (-4.0, {1: 2}), (0.3, {0: 1}), (0.1, {1: 1})]
        return polynomial([*pure, (1.0, {0: 1, 1: 1})])
