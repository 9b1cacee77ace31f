"""Iterative searches of large systems, from products of the Hessian with vectors instead of the Hessian."""
