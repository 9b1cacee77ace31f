"""Loss of a neural network as a function of its weights: compiled energy, Hessian, products, symmetry."""
