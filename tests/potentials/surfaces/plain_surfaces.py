"""The analytic surfaces once more, in plain formulas that take floats, arrays and intervals."""

from __future__ import annotations

import numpy as np

# K. Mueller and L. D. Brown, Theor. Chim. Acta 53 (1979) 75: A, a, b, c, x0, y0
_GAUSSIANS = (
    (-200, -1, 0, -10, 1, 0),
    (-100, -1, 0, -10, 0, 0.5),
    (-170, -6.5, 11, -6.5, -0.5, 1.5),
    (15, 0.7, 0.6, 0.7, -1, 1),
)


def _terms(x, y):
    for height, a, b, c, x0, y0 in _GAUSSIANS:
        u, v = x - x0, y - y0
        exponent = a * u * u + b * u * v + c * v * v
        value = height * (exponent.exp() if hasattr(exponent, "exp") else np.exp(exponent))
        yield value, 2 * a * u + b * v, b * u + 2 * c * v, (2 * a, b, 2 * c)


def mueller_brown(x, y):
    return sum(value for value, *_ in _terms(x, y))


def mueller_brown_gradient(x, y):
    return sum(value * u for value, u, _, _ in _terms(x, y)), sum(value * v for value, _, v, _ in _terms(x, y))


def mueller_brown_hessian(x, y):
    parts = [(e * (u * u + k[0]), e * (u * v + k[1]), e * (v * v + k[2])) for e, u, v, k in _terms(x, y)]
    return tuple(sum(part[k] for part in parts) for k in range(3))


def camel(x, y):
    return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (4 * y**2 - 4) * y**2


def camel_gradient(x, y):
    return 8 * x - 8.4 * x**3 + 2 * x**5 + y, x - 8 * y + 16 * y**3


def camel_hessian(x, y):
    return 8 - 25.2 * x**2 + 10 * x**4, 1 + 0 * x, -8 + 48 * y**2


def three_hump(x, y):
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


def three_hump_gradient(x, y):
    return 4 * x - 4.2 * x**3 + x**5 + y, x + 2 * y


def three_hump_hessian(x, y):
    return 4 - 12.6 * x**2 + 5 * x**4, 1 + 0 * x, 2 + 0 * y


def himmelblau(x, y):
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def himmelblau_gradient(x, y):
    return 4 * x**3 + 4 * x * y - 42 * x + 2 * y**2 - 14, 4 * y**3 + 4 * x * y - 26 * y + 2 * x**2 - 22


def himmelblau_hessian(x, y):
    return 12 * x**2 + 4 * y - 42, 4 * x + 4 * y, 12 * y**2 + 4 * x - 26


def wolfe_quapp(x, y):
    return x**4 + y**4 - 2 * x**2 - 4 * y**2 + x * y + 0.3 * x + 0.1 * y


def wolfe_quapp_gradient(x, y):
    return 4 * x**3 - 4 * x + y + 0.3, 4 * y**3 - 8 * y + x + 0.1


def wolfe_quapp_hessian(x, y):
    return 12 * x**2 - 4, 1 + 0 * x, 12 * y**2 - 8


def wells(x, y):
    return (x**2 - 1) ** 2 + (y**2 - 1) ** 2 + 0.2 * x * y


def wells_gradient(x, y):
    return 4 * x**3 - 4 * x + 0.2 * y, 4 * y**3 - 4 * y + 0.2 * x


def wells_hessian(x, y):
    return 12 * x**2 - 4, 0.2 + 0 * x, 12 * y**2 - 4
