"""Searches for calculators without a Hessian: each step learns from the forces met, and differences only prove."""
