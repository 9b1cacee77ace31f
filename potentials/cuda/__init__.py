"""GPU support shared by all potentials: availability, block memory, kernels built from device functions."""
