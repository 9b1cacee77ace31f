"""Parts of networks: chosen minima, energies, barriers and connections."""
