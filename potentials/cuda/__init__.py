"""GPU support shared by all potentials: availability, memory of a block, kernels built from device functions."""
