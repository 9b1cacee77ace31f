"""Compiled polynomials and sums of Gaussians for the analytic surfaces.

A polynomial is a sum of terms ``c * x[i]**p * x[j]**q ...``. Its integers are the number of terms, then where each
term's factors begin in the list of factors (and where the last ends), then that list: pairs of variable and power.
Its floats are the coefficients. The Gaussians have two variables; their floats are rows of A, a, b, c, x0, y0 for
``A exp(a (x - x0)**2 + b (x - x0) (y - y0) + c (y - y0)**2)``.
"""

from __future__ import annotations

import numba
import numpy as np

from thalweg.potentials.compiled.signatures import FUNCTION_SIGNATURE, HESSIAN_SIGNATURE, jit

__all__ = ["gaussians_function", "gaussians_hessian", "polynomial_function", "polynomial_hessian"]


@jit(numba.float64(numba.float64, numba.int64, numba.int64))
def _derivative(x, power, order):
    """Derivative of the given order of x**power."""
    value = 1.0
    for k in range(order):
        value *= power - k
    for _ in range(power - order):
        value *= x
    return value


@jit(FUNCTION_SIGNATURE)
def polynomial_function(x, gradient_out, integers, floats):
    """Return the polynomial's value and write its gradient (n,)."""
    terms = integers[0]
    energy = 0.0
    for k in range(x.size):
        gradient_out[k] = 0.0
    for term in range(terms):
        first, end = integers[1 + term], integers[2 + term]
        value = floats[term]
        for factor in range(first, end):
            place = terms + 2 + 2 * factor
            value *= _derivative(x[integers[place]], integers[place + 1], 0)
        energy += value
        for i in range(first, end):
            slope = floats[term]
            for factor in range(first, end):
                place = terms + 2 + 2 * factor
                slope *= _derivative(x[integers[place]], integers[place + 1], 1 if factor == i else 0)
            gradient_out[integers[terms + 2 + 2 * i]] += slope
    return energy


@jit(HESSIAN_SIGNATURE)
def polynomial_hessian(x, hessian_out, integers, floats):
    """Return the polynomial's value and write its second derivatives (n, n)."""
    terms = integers[0]
    energy = 0.0
    for row in range(x.size):
        for column in range(x.size):
            hessian_out[row, column] = 0.0
    for term in range(terms):
        first, end = integers[1 + term], integers[2 + term]
        value = floats[term]
        for factor in range(first, end):
            place = terms + 2 + 2 * factor
            value *= _derivative(x[integers[place]], integers[place + 1], 0)
        energy += value
        for i in range(first, end):
            for j in range(first, end):
                curvature = floats[term]
                for factor in range(first, end):
                    place = terms + 2 + 2 * factor
                    order = (1 if factor == i else 0) + (1 if factor == j else 0)
                    curvature *= _derivative(x[integers[place]], integers[place + 1], order)
                hessian_out[integers[terms + 2 + 2 * i], integers[terms + 2 + 2 * j]] += curvature
    return energy


@jit(FUNCTION_SIGNATURE)
def gaussians_function(x, gradient_out, integers, floats):
    """Return the sum of Gaussians and write its gradient (2,)."""
    energy, slope_x, slope_y = 0.0, 0.0, 0.0
    for k in range(0, floats.size, 6):
        a, b, c, dx, dy = floats[k + 1], floats[k + 2], floats[k + 3], x[0] - floats[k + 4], x[1] - floats[k + 5]
        value = floats[k] * np.exp(a * dx * dx + b * dx * dy + c * dy * dy)
        energy += value
        slope_x += value * (2.0 * a * dx + b * dy)
        slope_y += value * (b * dx + 2.0 * c * dy)
    gradient_out[0], gradient_out[1] = slope_x, slope_y
    return energy


@jit(HESSIAN_SIGNATURE)
def gaussians_hessian(x, hessian_out, integers, floats):
    """Return the sum of Gaussians and write its second derivatives (2, 2)."""
    energy, xx, xy, yy = 0.0, 0.0, 0.0, 0.0
    for k in range(0, floats.size, 6):
        a, b, c, dx, dy = floats[k + 1], floats[k + 2], floats[k + 3], x[0] - floats[k + 4], x[1] - floats[k + 5]
        value = floats[k] * np.exp(a * dx * dx + b * dx * dy + c * dy * dy)
        along_x, along_y = 2.0 * a * dx + b * dy, b * dx + 2.0 * c * dy
        energy += value
        xx += value * (along_x * along_x + 2.0 * a)
        xy += value * (along_x * along_y + b)
        yy += value * (along_y * along_y + 2.0 * c)
    hessian_out[0, 0], hessian_out[0, 1], hessian_out[1, 0], hessian_out[1, 1] = xx, xy, xy, yy
    return energy
