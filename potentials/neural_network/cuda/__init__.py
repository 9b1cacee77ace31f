"""Losses of networks on a GPU: what kernels are made for, loss and gradient, Hessian-vector products."""
