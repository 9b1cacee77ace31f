"""Loss of a tanh network with an L2 term: calculator, weights, compiled kernels, symmetry, GPU functions."""
