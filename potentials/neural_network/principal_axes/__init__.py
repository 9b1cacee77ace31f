"""Networks in the principal axes of their inputs, where the curvatures of the loss can be estimated beforehand."""
