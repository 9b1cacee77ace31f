"""Quasi-Newton updates of a Hessian that may have negative eigenvalues."""

from __future__ import annotations

import numpy as np

__all__ = ["updated"]


def updated(hessian: np.ndarray, steps: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Return a Hessian (m, m) that explains gradient changes by the TS-BFGS formula, several at once.

    Parameters
    ----------
    hessian : (m, m) ndarray, symmetric
    steps, changes : (m, k) ndarrays
        Steps and gradient changes, or directions and the Hessian's products with them.

    References
    ----------
    J. M. Bofill, Int. J. Quantum Chem. 94 (2003) 324; E. D. Hermes, K. Sargsyan, H. N. Najm, J. Zador, J. Chem.
    Theory Comput. 15 (2019) 6536.
    """
    mixed = steps.T @ changes
    # differences are not exactly symmetric
    lower = np.tril(mixed - mixed.T, -1)
    changes = changes + np.linalg.pinv(steps.T) @ lower if steps.shape[1] > 1 else changes
    left = changes - hessian @ steps
    values, vectors = np.linalg.eigh(hessian)
    weighted = changes @ (changes.T @ steps) + (vectors * np.abs(values)) @ (vectors.T @ steps) @ (
        steps.T @ ((vectors * np.abs(values)) @ (vectors.T @ steps))
    )
    inverse = np.linalg.pinv(weighted.T @ steps, rcond=1e-10)
    u = weighted @ inverse.T
    both = u @ left.T
    result: np.ndarray = hessian + both + both.T - u @ (left.T @ steps) @ u.T
    return 0.5 * (result + result.T)
