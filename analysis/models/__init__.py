"""Models of PyTorch and JAX as potentials: their own loss, with exact derivatives."""
