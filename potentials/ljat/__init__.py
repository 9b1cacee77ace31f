"""Lennard-Jones with the Axilrod-Teller term: calculator, compiled energy and Hessian, GPU kernels."""
