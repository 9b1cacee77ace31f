"""Derivatives of calculators without a Hessian: noise, differences, and Hessians that are updated."""
